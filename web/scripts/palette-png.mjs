// Makes a screenshot small: a PNG of true colours becomes one of at most 256. A page of text and flat areas has hardly
// more; the rare shades between (edges of letters) become the nearest of the frequent ones.
import { crc32, deflateSync, inflateSync } from 'node:zlib'

const COLOURS_MAX = 256
const SIGNATURE = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10])

export function withPalette(png) {
  const { width, height, channels, pixels } = decode(png)
  const counts = new Map()
  const keys = new Uint32Array(width * height)
  for (let i = 0, at = 0; i < keys.length; i += 1, at += channels) {
    const key = (pixels[at] << 16) | (pixels[at + 1] << 8) | pixels[at + 2]
    keys[i] = key
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  const palette = [...counts].sort((a, b) => b[1] - a[1]).slice(0, COLOURS_MAX).map(([key]) => key)
  const places = new Map([...counts.keys()].map((key) => [key, nearest(key, palette)]))
  // A byte in front of each row says "not filtered".
  const rows = Buffer.alloc((width + 1) * height)
  for (let y = 0; y < height; y += 1) for (let x = 0; x < width; x += 1) rows[y * (width + 1) + 1 + x] = places.get(keys[y * width + x])
  const head = Buffer.alloc(13)
  head.writeUInt32BE(width, 0)
  head.writeUInt32BE(height, 4)
  head.set([8, 3, 0, 0, 0], 8)
  const colours = Buffer.from(palette.flatMap((key) => [key >> 16, (key >> 8) & 255, key & 255]))
  return Buffer.concat([SIGNATURE, chunk('IHDR', head), chunk('PLTE', colours), chunk('IDAT', deflateSync(rows, { level: 9 })), chunk('IEND', Buffer.alloc(0))])
}

function nearest(key, palette) {
  const exact = palette.indexOf(key)
  if (exact >= 0) return exact
  let best = 0
  let least = Infinity
  palette.forEach((other, index) => {
    const far = ((key >> 16) - (other >> 16)) ** 2 + (((key >> 8) & 255) - ((other >> 8) & 255)) ** 2 + ((key & 255) - (other & 255)) ** 2
    if (far < least) [best, least] = [index, far]
  })
  return best
}

/** Reads what the browser writes: eight bits a channel, not interlaced. */
function decode(png) {
  const parts = []
  let width = 0
  let height = 0
  let channels = 0
  for (let at = SIGNATURE.length; at < png.length;) {
    const length = png.readUInt32BE(at)
    const type = png.toString('latin1', at + 4, at + 8)
    const body = png.subarray(at + 8, at + 8 + length)
    if (type === 'IHDR') {
      width = body.readUInt32BE(0)
      height = body.readUInt32BE(4)
      channels = { 2: 3, 6: 4 }[body[9]]
      if (body[8] !== 8 || !channels || body[12] !== 0) throw new Error('not a PNG of the kind that the browser writes')
    }
    if (type === 'IDAT') parts.push(body)
    at += length + 12
  }
  const raw = inflateSync(Buffer.concat(parts))
  const stride = width * channels
  const pixels = Buffer.alloc(stride * height)
  for (let y = 0; y < height; y += 1) unfilter(raw[y * (stride + 1)], raw.subarray(y * (stride + 1) + 1, (y + 1) * (stride + 1)), pixels, y * stride, stride, channels)
  return { width, height, channels, pixels }
}

function unfilter(filter, line, pixels, start, stride, channels) {
  for (let x = 0; x < stride; x += 1) {
    const left = x >= channels ? pixels[start + x - channels] : 0
    const up = start > 0 ? pixels[start + x - stride] : 0
    const corner = x >= channels && start > 0 ? pixels[start + x - stride - channels] : 0
    pixels[start + x] = line[x] + [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter]
  }
}

function paeth(left, up, corner) {
  const near = left + up - corner
  const [a, b, c] = [Math.abs(near - left), Math.abs(near - up), Math.abs(near - corner)]
  return a <= b && a <= c ? left : b <= c ? up : corner
}

function chunk(type, body) {
  const named = Buffer.concat([Buffer.from(type, 'latin1'), body])
  const frame = Buffer.alloc(8)
  frame.writeUInt32BE(body.length, 0)
  frame.writeUInt32BE(crc32(named), 4)
  return Buffer.concat([frame.subarray(0, 4), named, frame.subarray(4)])
}
