/** Why something under our keys cannot be read. */
export class Unreadable extends Error {}

export interface Read {
  readonly object: Readonly<Record<string, unknown>>;
  /** A field that has to be there, of that type. */
  field(name: string, type: 'string' | 'number' | 'boolean'): unknown;
}

/** Reads an object, or the JSON text of one. @throws Unreadable */
export function readRecord(given: unknown, what: string): Read {
  const object = typeof given === 'string' ? parse(given, what) : given;
  if (typeof object !== 'object' || object === null || Array.isArray(object))
    throw new Unreadable(`${what} must be an object`);
  const record = object as Readonly<Record<string, unknown>>;
  return {
    object: record,
    field: (name, type) => {
      const value = record[name];
      if (typeof value === type) return value;
      throw new Unreadable(`"${name}" of ${what} must be a ${type}`);
    }
  };
}

function parse(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Unreadable(`${what} must be JSON, and it begins with ${JSON.stringify(text.slice(0, 20))}`);
  }
}

export function readOneOf<T extends string>(given: unknown, name: string, choices: readonly T[]): T {
  const found = choices.find((choice) => choice === given);
  if (found !== undefined) return found;
  throw new Unreadable(`"${name}" must be one of ${choices.join(', ')}`);
}

export function readTexts(given: unknown, name: string): readonly string[] {
  if (Array.isArray(given) && given.every((one) => typeof one === 'string')) return given;
  throw new Unreadable(`"${name}" must be a list of texts`);
}
