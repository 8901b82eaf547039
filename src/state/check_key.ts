import { limits } from '../config/limits.ts'
import { StoreError } from './store_error.ts'

const key_bytes_max = 200
const key_shape = /^[a-z][a-z0-9_]{0,63}\/[\x21-\x7e]{1,198}$/
const prefix_shape = /^[a-z][a-z0-9_]{0,63}\/[\x21-\x7e]{0,198}$/

/** @throws StoreError `closed`, `key_invalid` */
export function checkKey(key: string, closed: boolean): void {
  if (closed) throw new StoreError('closed', `the store is closed; ${JSON.stringify(key)} was not touched`)
  if (key_shape.test(key) && key.length <= key_bytes_max) return
  const rule = `<collection>/<id>, printable ASCII, at most ${key_bytes_max} bytes`
  throw new StoreError('key_invalid', `${JSON.stringify(key.slice(0, key_bytes_max))} is not ${rule}`)
}

/** @throws StoreError `closed`, `key_invalid` */
export function checkPrefix(prefix: string, closed: boolean): void {
  if (closed) throw new StoreError('closed', `the store is closed; ${JSON.stringify(prefix)} was not read`)
  if (prefix_shape.test(prefix)) return
  const shown = JSON.stringify(prefix.slice(0, key_bytes_max))
  throw new StoreError('key_invalid', `${shown} is not <collection>/<id prefix>`)
}

/** @throws StoreError `value_too_large` */
export function checkValue(key: string, bytes: number): void {
  if (bytes <= limits.state_value_bytes_max) return
  throw new StoreError(
    'value_too_large',
    `${key} would be ${bytes} bytes, at most ${limits.state_value_bytes_max}`,
  )
}
