// Sample records as they are typed or pasted. They stay in this page's memory: no storage, no address, no request.

export interface Sample {
  /** The line that it begins in. */
  line: number
  text: string
}

export const SAMPLES_MAX = 200
export const SAMPLE_CHARS_MAX = 262_144

export interface Samples {
  samples: Sample[]
  /** How many more there are than are judged. */
  beyond: number
}

/** One record a line, as consumers print them; or a single one that is set out in lines. */
export function samplesOf(text: string): Samples {
  const bounded = text.slice(0, SAMPLE_CHARS_MAX)
  const cut = text.length > bounded.length
  if (!cut && bounded.trim().includes('\n') && isJson(bounded)) {
    return { samples: [{ line: bounded.slice(0, bounded.search(/\S/)).split('\n').length, text: bounded.trim() }], beyond: 0 }
  }
  const all = bounded.split('\n').map((line, at) => ({ line: at + 1, text: line.trim() })).filter((sample) => sample.text !== '')
  // The last line may be cut in its middle: it is no record.
  const whole = cut ? all.slice(0, -1) : all
  return { samples: whole.slice(0, SAMPLES_MAX), beyond: Math.max(0, whole.length - SAMPLES_MAX) + (cut ? text.slice(SAMPLE_CHARS_MAX).split('\n').filter((line) => line.trim() !== '').length : 0) }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
