/** Takes a request body. */
export interface BodyReader {
  /** @param chunk valid until the call returns; empty at most with `last` */
  onBodyChunk(chunk: Uint8Array, last: boolean): void
}

/** What a request body comes from, and can be held up. */
export interface BodyFlow {
  pauseBody(): void
  resumeBody(): void
}

/** Is told of what happens to a caller beside its request body. */
export interface CallerOwner {
  /** The caller left before its response ended. Called at most once. */
  onCallerGone(): void
  /** More of the request body came than can be kept, although reading it is paused. */
  onCallerOverrun(): void
  /** A slow caller took what `write` had to leave behind. */
  onCallerDrain(): void
}

/** A caller's end of a WebSocket. Nothing may be called after `close` or `onSocketClose`. */
export interface CallerSocket {
  /** @returns false when the caller is slow: `onSocketDrain` follows */
  send(text: boolean, message: Uint8Array): boolean
  /** @param code one that may be sent; 0: none */
  close(code: number, reason: string): void
}

export interface SocketOwner {
  /** @param message valid until the call returns */
  onSocketMessage(text: boolean, message: Buffer): void
  onSocketDrain(): void
  /** The caller is gone. Called at most once, and not after `close`. */
  onSocketClose(code: number, reason: string): void
}

/**
 * The caller's side of one exchange, whatever server is behind it. Nothing may be called after `end`, `cut` or
 * `onCallerGone` except the getters; `open` tells.
 */
export interface Caller extends BodyFlow {
  /** As sent; methods are case-sensitive. */
  readonly method: string
  /** Raw, escapes and all, without the query. */
  readonly path: string
  /** Raw, without the `?`. */
  readonly query: string
  /** Names (lower case) and values in turn, in the order sent, repeats included. Values are bytes read as Latin-1. */
  readonly headers: readonly string[]
  readonly address: string
  /** The caller is there and its response has not ended. */
  readonly open: boolean
  /** The response's status went out. */
  readonly head_sent: boolean
  /** It asks for a WebSocket, and may be given one. */
  readonly websocket: boolean
  /** Set at once by whoever accepts the caller. */
  owner: CallerOwner | null

  /** Only for a request with a body. What came before is handed over in this call. */
  readBody(reader: BodyReader): void
  /** The rest of the request body is not wanted: nothing more is handed over, and a long rest is not read either. */
  discardBody(): void
  /** Tells the server that this slow connection is meant to stay. */
  touch(): void

  /** Goes out with the first body byte. `headers` as above, without `content-length`. */
  setHead(status: number, headers: readonly (string | Uint8Array)[]): void
  /** Copies what it must keep. @returns false when the caller is slow: `onCallerDrain` follows */
  write(chunk: Uint8Array): boolean
  /** Sends the rest, or with nothing written before the whole body with its `content-length`. */
  end(chunk: Uint8Array | string): void
  /** For answers that have no body by definition; a `content-length` among the headers goes out as it is. */
  endWithoutBody(): void
  /** Answers with a WebSocket (101); nothing else may be called any more. @param protocol empty: none */
  upgrade(protocol: string, owner: SocketOwner): CallerSocket
  /** Breaks the connection, so that the caller sees a truncated response. `onCallerGone` is not called. */
  cut(): void
}
