export { formatValue, parseValue } from "./literals";
export { ParameterField, type ParameterFieldProps } from "./ParameterField";
