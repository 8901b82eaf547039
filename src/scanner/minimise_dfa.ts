/** A deterministic automaton over byte classes. State 0 is dead, state 1 is the start. */
export interface DfaTable {
  readonly class_count: number
  readonly state_count: number
  /** `state * class_count + class` → next state. */
  readonly transitions: Uint16Array
  /** Per state, 1 when the bytes so far are a match. */
  readonly accepting: Uint8Array
}

/** Per state, how long an input leads from it to a match. */
export interface ResidualLengths {
  readonly shortest: Float64Array
  readonly longest: Float64Array
}

/** Refinement rounds before the automaton is left as it is: bounds the work on hostile patterns. */
const rounds_max = 64

/**
 * Lengths in bytes of the shortest and longest input that leads from each state to a match; Infinity for no match
 * (`shortest`) and for no bound (`longest`). `longest` of a state without a match is 0.
 */
export function residualLengths(table: DfaTable): ResidualLengths {
  const { state_count, accepting } = table
  const before = predecessors(table)
  const shortest = new Float64Array(state_count).fill(Infinity)
  const queue: number[] = []
  for (let state = 0; state < state_count; state++) {
    if (!accepting[state]) continue
    shortest[state] = 0
    queue.push(state)
  }
  for (let i = 0; i < queue.length; i++) {
    for (const state of before[queue[i]!]!) {
      if (shortest[state] !== Infinity) continue
      shortest[state] = shortest[queue[i]!]! + 1
      queue.push(state)
    }
  }
  return { shortest, longest: longestLengths(table, before, shortest) }
}

/** Peels states whose live successors are all done; what is never peeled can reach a cycle, so it has no bound. */
function longestLengths(table: DfaTable, before: readonly number[][], shortest: Float64Array): Float64Array {
  const { state_count } = table
  const isLive = (state: number) => shortest[state] !== Infinity
  const waiting = new Uint32Array(state_count)
  for (let state = 0; state < state_count; state++) {
    if (isLive(state)) for (const from of before[state]!) waiting[from]!++
  }
  const longest = new Float64Array(state_count).fill(Infinity)
  const queue: number[] = []
  for (let state = 0; state < state_count; state++) {
    if (!isLive(state)) longest[state] = 0
    else if (waiting[state] === 0) queue.push(state)
  }
  for (const state of queue) longest[state] = 0
  const farthest = new Float64Array(state_count)
  for (let i = 0; i < queue.length; i++) {
    const state = queue[i]!
    longest[state] = farthest[state]!
    for (const from of before[state]!) {
      farthest[from] = Math.max(farthest[from]!, farthest[state]! + 1)
      if (--waiting[from]! === 0) queue.push(from)
    }
  }
  return longest
}

/** For each state but the dead one, the states with an edge to it, each once. */
function predecessors({ class_count, state_count, transitions }: DfaTable): number[][] {
  const before: number[][] = Array.from({ length: state_count }, () => [])
  for (let state = 1; state < state_count; state++) {
    for (let byteClass = 0; byteClass < class_count; byteClass++) {
      const next = transitions[state * class_count + byteClass]!
      if (next === 0) continue
      const list = before[next]!
      if (list[list.length - 1] !== state) list.push(state)
    }
  }
  return before
}

/**
 * Merges states that accept the same inputs (Moore's refinement) and drops those that cannot accept.
 *
 * The first partition is by residual lengths, not only by acceptance: it tells almost all states of a chain such as
 * `x{36,255}` apart at once, where refinement from acceptance alone needs 255 rounds.
 */
export function minimiseDfa(table: DfaTable, lengths: ResidualLengths): DfaTable {
  const { class_count, transitions } = table
  let group = groupByLengths(table, lengths)
  for (let round = 0; round < rounds_max; round++) {
    const next = splitGroups(group, (state) => {
      let key = ''
      for (let byteClass = 0; byteClass < class_count; byteClass++) {
        key += `${group.of[transitions[state * class_count + byteClass]!]},`
      }
      return key
    })
    if (next.count === group.count) return mergeGroups(table, group.of, group.count)
    group = next
  }
  return table
}

interface Groups {
  /** State → group. */
  readonly of: Uint16Array
  readonly count: number
}

/** Group 0 holds the states that cannot accept. */
function groupByLengths({ state_count }: DfaTable, { shortest, longest }: ResidualLengths): Groups {
  const numbers = new Map<number, number>()
  const of = new Uint16Array(state_count)
  let count = 1
  for (let state = 1; state < state_count; state++) {
    if (shortest[state] === Infinity) continue
    // Lengths are below 65,536, so 65,536 can stand for "no bound".
    const key = shortest[state]! * 131_072 + Math.min(longest[state]!, 65_536)
    let number = numbers.get(key)
    if (number === undefined) {
      number = count++
      numbers.set(key, number)
    }
    of[state] = number
  }
  return { of, count }
}

/** Splits each group of several states by key. Group 0 stays; so does the order of the rest. */
function splitGroups(group: Groups, keyOf: (state: number) => string): Groups {
  const sizes = new Uint16Array(group.count)
  for (const number of group.of) sizes[number]!++
  const of = group.of.slice()
  const keys: (Map<string, number> | undefined)[] = new Array(group.count)
  let count = group.count
  for (let state = 1; state < of.length; state++) {
    const old = group.of[state]!
    if (old === 0 || sizes[old] === 1) continue
    keys[old] ??= new Map<string, number>()
    const known = keys[old]
    const key = keyOf(state)
    let number = known.get(key)
    if (number === undefined) {
      number = known.size === 0 ? old : count++
      known.set(key, number)
    }
    of[state] = number
  }
  return { of, count }
}

function mergeGroups(table: DfaTable, group: Uint16Array, count: number): DfaTable {
  const { class_count, state_count } = table
  // A pattern that matches nothing has its start in the dead group; the start keeps its own number all the same.
  const start_is_dead = group[1] === 0
  const total = start_is_dead ? 2 : count
  const transitions = new Uint16Array(total * class_count)
  const accepting = new Uint8Array(total)
  for (let state = 0; state < state_count && !start_is_dead; state++) {
    const row = group[state]! * class_count
    accepting[group[state]!] = table.accepting[state]!
    for (let byteClass = 0; byteClass < class_count; byteClass++) {
      transitions[row + byteClass] = group[table.transitions[state * class_count + byteClass]!]!
    }
  }
  return { class_count, state_count: total, transitions, accepting }
}
