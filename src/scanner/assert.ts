/**
 * Fails for a programmer's error. The scanner runs in browsers too, so it takes no module of Node for it.
 * @throws Error with the message
 */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(message)
}
