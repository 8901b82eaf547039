/** Freezes plain data all the way down and returns it. Typed arrays stay writable: the language cannot freeze them. */
export function deepFreeze<Value>(value: Value): Value {
  if (value === null || typeof value !== 'object' || ArrayBuffer.isView(value) || Object.isFrozen(value))
    return value
  Object.freeze(value)
  for (const below of Object.values(value)) deepFreeze(below)
  return value
}
