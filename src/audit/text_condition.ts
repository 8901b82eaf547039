/** Conditions on `exchanges AS e` and the parameters that they name. */
export interface TextCondition {
  readonly sql: string
  readonly parameters: Readonly<Record<string, string>>
}

const whole_id = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const part_of_id = /^[0-9a-f-]{4,35}$/

/**
 * Whether a text stands in what an exchange is known by: its id, path, query, model, person, address, code or detectors; any
 * case. The column `facts` has an index; a part of an id has none and costs a scan of the ids.
 */
export function textCondition(text: string): TextCondition {
  const lower = text.toLowerCase()
  const pattern = containing(text)
  const facts = 'e.facts LIKE lowerUTF8({text_pattern:String})'
  if (whole_id.test(lower))
    return {
      sql: `(e.id = {text_id:UUID} OR ${facts})`,
      parameters: { text_pattern: pattern, text_id: lower },
    }
  if (part_of_id.test(lower))
    return {
      sql: `(position(toString(e.id), {text_id:String}) > 0 OR ${facts})`,
      parameters: { text_pattern: pattern, text_id: lower },
    }
  return { sql: facts, parameters: { text_pattern: pattern } }
}

/**
 * What an exchange whose column contains `text`, in any case, fits as well, and an index knows: it spares reading the column.
 * Null for other letters than English ones, whose case depends on what stands beside them.
 * @param name of the parameter
 */
export function factsContain(text: string, name: string): TextCondition | null {
  if (!/^[\x20-\x7e]{3,}$/.test(text)) return null
  return { sql: `e.facts LIKE {${name}:String}`, parameters: { [name]: containing(text.toLowerCase()) } }
}

/** A pattern of LIKE. */
function containing(text: string): string {
  return `%${text.replace(/[\\%_]/g, '\\$&')}%`
}
