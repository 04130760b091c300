/** Mean width of a digit in the label's font. Measuring thousands of labels would cost more than the error. */
const DIGIT = 6.7;

/** Width of a connection's label on the canvas. */
export const labelWidth = (text: string): number => text.length * DIGIT + 12;
