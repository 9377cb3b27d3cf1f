/**
 * Writes the types of src/api.d.ts from the OpenAPI document of a service, a file or an address:
 *
 *     node generate.mjs http://127.0.0.1:8080/openapi/v1.json >src/api.d.ts
 *
 * Only the answers that the client gives are in it, the options of a submission, and what these are made of.
 */

import { readFile } from 'node:fs/promises'

const roots = ['JobPage', 'JobView', 'ModelsView', 'Problem']
const prefix = '#/components/schemas/'

const [source] = process.argv.slice(2)
if (source === undefined) {
  console.error('usage: node generate.mjs FILE|URL')
  process.exit(2)
}
const document = JSON.parse(/^https?:/.test(source) ? await (await fetch(source)).text() : await readFile(source, 'utf8'))
const schemas = document.components.schemas
const { image, ...options } = document.paths['/v1/jobs'].post.requestBody.content['multipart/form-data'].schema.properties

const lines = ['// Made by generate.mjs from the OpenAPI document of a service; do not change it by hand.', '']
for (const name of reachable(roots)) declare(name, schemas[name])
declare('SubmitOptions', { type: 'object', description: 'Options of a submission; those of one engine are refused by the others.', properties: options })
process.stdout.write(lines.join('\n'))

/** The names of these types and of all that they are made of, in alphabetical order. */
function reachable(names) {
  const found = new Set(names)
  for (const name of found) JSON.stringify(schemas[name], (key, value) => (key === '$ref' ? (found.add(value.slice(prefix.length)), value) : value))
  return [...found].sort()
}

function declare(name, schema) {
  if (schema.description !== undefined) lines.push(comment(schema.description))
  if (schema.properties !== undefined) lines.push(`export interface ${name} ${typeOf(schema, '')}`, '')
  else lines.push(`export type ${name} = ${typeOf(schema, '')}`, '')
}

function comment(text) {
  return `/** ${text.replaceAll('*/', '*\\/').replaceAll(/\s+/g, ' ')} */`
}

/** A type as TypeScript writes it. */
function typeOf(schema, indent) {
  if (schema.$ref !== undefined) return schema.$ref.slice(prefix.length)
  if (schema.enum !== undefined) return schema.enum.map(value => `'${value}'`).join(' | ')
  const any = schema.oneOf ?? schema.anyOf
  if (any !== undefined) return any.map(one => typeOf(one, indent)).join(' | ')
  return [schema.type ?? 'unknown'].flat().map(type => simple(type, schema, indent)).join(' | ')
}

function simple(type, schema, indent) {
  switch (type) {
    case 'integer':
      return 'number'
    case 'array':
      return `Array<${schema.items === undefined ? 'unknown' : typeOf(schema.items, indent)}>`
    case 'object':
      return schema.properties === undefined ? `Record<string, ${schema.additionalProperties === undefined ? 'unknown' : typeOf(schema.additionalProperties, indent)}>` : fields(schema, indent)
    default:
      return type
  }
}

function fields(schema, indent) {
  const inner = indent + '  '
  const text = Object.entries(schema.properties).flatMap(([name, property]) => {
    // What may be null has its description beside its type.
    const description = property.description ?? property.oneOf?.find(one => one.description !== undefined)?.description
    return [
      ...(description === undefined ? [] : [inner + comment(description)]),
      `${inner}${name}${schema.required?.includes(name) ? '' : '?'}: ${typeOf(property, inner)}`,
    ]
  })
  return ['{', ...text, `${indent}}`].join('\n')
}
