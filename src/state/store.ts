/** One stored value with the revision that a compare-and-set names. */
export interface Entry {
  readonly key: string
  /** msgpack-able plain data. */
  readonly value: unknown
  /** Grows with each write of this key; 0 means absent. */
  readonly revision: number
}

/** A write or removal as a watch tells it. */
export interface Change extends Entry {
  /** Whether this process wrote it. A removal on a store that several share counts as somebody else's. */
  readonly own: boolean
}

/**
 * The small key-value store behind approvals, grants, API keys and connections added by API.
 * Keys are `<collection>/<id>`, ASCII, at most 200 bytes. Values at most `state_value_bytes_max` encoded.
 */
export interface Store {
  get(key: string): Promise<Entry | null>
  /** Every entry whose key begins with `prefix`, in key order. */
  list(prefix: string): Promise<Entry[]>
  /**
   * Writes durably when the key's revision is `expected` (0: must be absent; undefined: whatever it is).
   * @returns the new revision, or null when somebody else wrote first.
   */
  put(key: string, value: unknown, expected?: number): Promise<number | null>
  remove(key: string, expected?: number): Promise<boolean>
  /** Calls back for each later write under `prefix`, this process's own included. `value` is undefined after a removal. */
  watch(prefix: string, changed: (entry: Change) => void): () => void
  close(): Promise<void>
}
