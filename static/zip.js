// Packs a folder into a zip in the browser: stored, not compressed, so that nothing has to be held in memory.
const MOST_FILES = 65535
const MOST_BYTES = 4 * 1024 ** 3 - 1
const ALWAYS_OUT = ['.cfignore', '.DS_Store', '.git', '.gitignore', '.hg', '.svn', '_darcs']

const table = Uint32Array.from({ length: 256 }, (_, number) => {
  for (let bit = 0; bit < 8; bit++) number = number & 1 ? (number >>> 1) ^ 0xedb88320 : number >>> 1
  return number
})

async function checksum (file) {
  let crc = 0xffffffff
  let first = true
  let script = false
  for (const reader = file.stream().getReader(); ;) {
    const { done, value } = await reader.read()
    if (done) break
    if (first) script = value[0] === 0x23 && value[1] === 0x21 // "#!": it is to be run
    first = false
    for (const byte of value) crc = (crc >>> 8) ^ table[(crc ^ byte) & 255]
  }
  return { crc: (crc ^ 0xffffffff) >>> 0, script }
}

// One line of a .cfignore as a regular expression for paths; the rules are those of .gitignore.
function pattern (line) {
  const anchored = line.slice(0, -1).includes('/')
  const bare = line.replace(/^\//, '').replace(/\/$/, '')
  const body = bare.replace(/[.+^${}()|\\]/g, '\\$&')
    .replace(/\*\*\/|\/\*\*|\*\*|\*|\?/g, (sign) => ({ '**/': '(.*/)?', '/**': '/.*', '**': '.*', '*': '[^/]*', '?': '[^/]' })[sign])
  return new RegExp(`^${anchored ? '' : '(.*/)?'}${body}${line.endsWith('/') ? '/' : '(/|$)'}`)
}

export function ignored (text) {
  const rules = text.split('\n').map((line) => line.trim()).filter((line) => line && !line.startsWith('#'))
    .map((line) => line.startsWith('!') ? { keep: true, rule: pattern(line.slice(1)) } : { keep: false, rule: pattern(line) })
  return (path) => {
    if (path.split('/').some((part) => ALWAYS_OUT.includes(part))) return true
    return rules.reduce((out, { keep, rule }) => rule.test(path) ? !keep : out, false)
  }
}

function header (size, fill) {
  const view = new DataView(new ArrayBuffer(size))
  let at = 0
  fill((bytes, value) => {
    if (bytes === 2) view.setUint16(at, value, true)
    else view.setUint32(at, value, true)
    at += bytes
  })
  return view.buffer
}

// `files` are {path, file}; paths are relative to the app's folder. Returns a File.
export async function zip (files, name, onProgress) {
  const list = files.find(({ path }) => path === '.cfignore')
  const out = ignored(list ? await list.file.text() : '')
  const kept = files.filter(({ path }) => !out(path))
  if (!kept.length) throw new Error('There is no file in the folder.')
  if (kept.length > MOST_FILES) throw new Error(`There are more than ${MOST_FILES} files in the folder. Name what the build fetches by itself, such as node_modules, in a .cfignore.`)
  if (kept.reduce((sum, { file }) => sum + file.size + 1000, 0) > MOST_BYTES) throw new Error('The folder is larger than 4 GB. Name what the build need not have in a .cfignore.')
  const parts = []
  const directory = []
  let offset = 0
  for (const [number, { path, file }] of kept.entries()) {
    const encoded = new TextEncoder().encode(path)
    const { crc, script } = await checksum(file)
    const common = (put) => {
      put(2, 20); put(2, 0x0800); put(2, 0); put(2, 0); put(2, 0x21) // UTF-8, stored, 1980-01-01
      put(4, crc); put(4, file.size); put(4, file.size); put(2, encoded.length); put(2, 0)
    }
    const local = header(30, (put) => { put(4, 0x04034b50); common(put) })
    const start = offset
    directory.push(header(46, (put) => {
      put(4, 0x02014b50); put(2, 0x0314); common(put); put(2, 0); put(2, 0); put(2, 0)
      put(4, ((script ? 0o100755 : 0o100644) << 16) >>> 0); put(4, start)
    }), encoded)
    parts.push(local, encoded, file)
    offset += local.byteLength + encoded.length + file.size
    onProgress?.(number + 1, kept.length)
  }
  const size = directory.reduce((sum, part) => sum + part.byteLength, 0)
  const end = header(22, (put) => {
    put(4, 0x06054b50); put(2, 0); put(2, 0); put(2, kept.length); put(2, kept.length); put(4, size); put(4, offset); put(2, 0)
  })
  return new File([...parts, ...directory, end], `${name || 'app'}.zip`, { type: 'application/zip' })
}
