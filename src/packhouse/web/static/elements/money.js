/** Money as the server writes it: 123456 (minor units) as 1,234.56. Shared by the elements that total. */
export function money(minor) {
  const whole = Math.trunc(minor / 100).toLocaleString("en-US");
  return `${whole}.${String(minor % 100).padStart(2, "0")}`;
}
