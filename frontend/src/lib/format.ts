/** Four significant digits, as a table or a tooltip shows a number. */
export function shortNumber(value: number | null | undefined): string {
  if (value === null || value === undefined) return "–";
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) return value.toExponential(2);
  if (Number.isInteger(value)) return value.toLocaleString("en-US");
  // From a thousand on with separators, as whole numbers have them.
  return Number(value.toPrecision(4)).toLocaleString("en-US", { maximumSignificantDigits: 4 });
}

/** A number at a tick of an axis, where there is room for six characters. */
export function shortTick(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e9) return Number(value.toPrecision(3)).toExponential().replace("+", "");
  if (size >= 10_000)
    return shortNumber(value).length > 6 ? `${Number((value / 1000).toPrecision(4))}k` : shortNumber(value);
  if (size !== 0 && size < 1e-4) return value.toExponential(0);
  return String(Number(value.toPrecision(6)));
}

/** 1.2k, 3.4M: a count in few letters. */
export function compactCount(value: number): string {
  return new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 }).format(value);
}

/** 1.5 MiB. */
export function bytes(value: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const power = value < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(value) / 10));
  const scaled = value / 2 ** (10 * power);
  return `${power === 0 ? scaled : scaled.toFixed(scaled < 10 ? 1 : 0)} ${units[power]}`;
}

/** A moment in seconds since 1970, whole: 11/30/26, 5:14:53 PM or 2026/11/30 17:14:53. */
export function moment(seconds: number, language: string): string {
  return new Date(1000 * seconds).toLocaleString(language, { dateStyle: "short", timeStyle: "medium" });
}

const two = (value: number) => String(value).padStart(2, "0");

/** 14:05:09.5, 14:05:09, 14:05 or 06-30 14:05: a moment in seconds since 1970, as exactly as an axis of `span` seconds needs. */
export function clock(seconds: number, span: number): string {
  const date = new Date(1000 * seconds);
  const time = `${two(date.getHours())}:${two(date.getMinutes())}`;
  if (span < 6) return `${time}:${two(date.getSeconds())}.${Math.floor(date.getMilliseconds() / 100)}`;
  if (span < 600) return `${time}:${two(date.getSeconds())}`;
  return span < 86_400 ? time : `${two(date.getMonth() + 1)}-${two(date.getDate())} ${time}`;
}

/** 42 s, 3:07, 1:02:03, 2 d 4 h: a duration in seconds. */
export function duration(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  if (hours === 0) return `${minutes}:${two(rest)}`;
  if (hours < 24) return `${hours}:${two(minutes)}:${two(rest)}`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}
