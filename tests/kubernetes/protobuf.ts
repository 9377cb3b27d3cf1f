import type { Manifest } from './manifests'

type Field = [number: number, value: Buffer]

/** The fields of a message that have a length; numbers are left out. */
function* fieldsOf(message: Buffer): Generator<Field> {
  let at = 0
  const varint = () => {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = message[at++]!
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
    }
  }
  while (at < message.length) {
    const tag = varint()
    const length = varint()
    if ((tag & 7) !== 2) continue
    yield [tag >> 3, message.subarray(at, at + length)]
    at += length
  }
}

const all = (message: Buffer, field: number) => [...fieldsOf(message)].filter(([number]) => number === field).map(([, value]) => value)
const one = (message: Buffer, field: number) => all(message, field)[0] ?? Buffer.alloc(0)
const map = (message: Buffer, field: number, encoding: BufferEncoding) => Object.fromEntries(all(message, field).map((entry) => [one(entry, 1).toString(), one(entry, 2).toString(encoding)]))

/** A Secret as helm keeps its releases in; Kubernetes' own clients send them in this form. */
export function secretOf(body: Buffer): Manifest {
  const secret = one(body.subarray('k8s\0'.length), 2)
  const metadata = one(secret, 1)
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name: one(metadata, 1).toString(), namespace: 'spotter', labels: map(metadata, 11, 'utf8') }, type: one(secret, 3).toString(), data: map(secret, 2, 'base64') }
}
