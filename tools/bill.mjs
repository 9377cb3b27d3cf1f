// Says what of others is in a published program: FOLDER/sbom.cdx.json, a bill of materials (CycloneDX), and
// FOLDER/THIRD-PARTY-NOTICES.txt, the texts of its licences. Usage: node bill.mjs FOLDER NUGET VERSION SECONDS, of which NUGET is the
// folder where packages lie unpacked, and SECONDS the time of the bill since 1970. What is in it, spotter.deps.json says; and the page
// has packages of npm.
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const [folder, nuget, version, seconds] = process.argv.slice(2);
const root = join(import.meta.dirname, '..');
const json = (file) => JSON.parse(readFileSync(file, 'utf8'));
const text = (file) => readFileSync(file, 'utf8').replace(/^\uFEFF/, '').replace(/\r\n?/g, '\n').trim();

/** Licences and notices that a package brings. */
const notices = (place) =>
  readdirSync(place).filter((name) => /^(licen[cs]e|third-?party-?notices)(\.(txt|md))?$/i.test(name)).sort().map((name) => join(place, name));

/** The licence of a package whose nuspec names a file, when that file is MIT's. */
const licenceIn = (files) => files.some((file) => /Permission is hereby granted, free of charge, to any person/.test(text(file))) ? 'MIT' : undefined;

function fromNuget(key, dependencies) {
  const [name, number] = key.replace(/^runtimepack\./, '').split('/');
  const place = join(nuget, name.toLowerCase(), number);
  const spec = text(join(place, `${name.toLowerCase()}.nuspec`));
  const tagged = (tag) => spec.match(new RegExp(`<${tag}[^>]*>([^<]*)</${tag}>`))?.[1].replace(/&amp;/g, '&').trim();
  const files = notices(place);
  // What a package of native code was built of.
  const versions = join(place, 'versions.json');
  return {
    key, name, version: number, files, purl: `pkg:nuget/${name}@${number}`, dependencies: Object.keys(dependencies ?? {}),
    licence: spec.match(/<license type="expression">([^<]*)</)?.[1] ?? licenceIn(files),
    copyright: tagged('copyright') ?? tagged('authors'), site: tagged('projectUrl'),
    hashes: [{ alg: 'SHA-512', content: Buffer.from(text(join(place, `${name.toLowerCase()}.${number}.nupkg.sha512`)), 'base64').toString('hex') }],
    parts: existsSync(versions) ? Object.entries(json(versions)).map(([part, of]) => ({ type: 'library', name: part, version: of })) : undefined,
  };
}

function fromNpm(name) {
  const place = join(root, 'web', 'node_modules', name);
  const of = json(join(place, 'package.json'));
  const files = notices(place);
  return {
    key: name, name, version: of.version, files, purl: `pkg:npm/${name}@${of.version}`, dependencies: [], licence: of.license,
    copyright: files.map(text).join('\n').match(/^.*\bcopyright\b.*$/im)?.[0].trim(), site: of.homepage,
  };
}

const deps = json(join(folder, 'spotter.deps.json'));
const linked = deps.targets[deps.runtimeTarget.name];
const packages = [
  ...Object.entries(deps.libraries).filter(([, of]) => of.type !== 'project').map(([key]) => fromNuget(key, linked[key]?.dependencies)),
  ...Object.keys(json(join(root, 'web', 'package.json')).dependencies).map(fromNpm),
].sort((a, b) => (a.purl < b.purl ? -1 : 1));

const named = new Map(packages.map((of) => [of.name, of.purl]));
const isId = (licence) => /^[A-Za-z0-9.+-]+$/.test(licence) && existsSync(textOf(licence));
const textOf = (licence) => licence === 'Apache-2.0' ? join(root, 'LICENSE') : join(root, 'tools', 'licenses', `${licence}.txt`);
const self = `pkg:generic/spotter@${version}`;
writeFileSync(join(folder, 'sbom.cdx.json'), `${JSON.stringify({
  bomFormat: 'CycloneDX', specVersion: '1.6', version: 1,
  metadata: {
    timestamp: new Date(Number(seconds) * 1000).toISOString().replace('.000', ''),
    component: { type: 'application', 'bom-ref': self, name: 'spotter', version, purl: self, licenses: [{ license: { id: 'Apache-2.0' } }] },
  },
  components: packages.map((of) => ({
    type: 'library', 'bom-ref': of.purl, name: of.name, version: of.version, hashes: of.hashes,
    licenses: of.licence === undefined ? undefined : [isId(of.licence) ? { license: { id: of.licence } } : { license: { name: of.licence } }],
    copyright: of.copyright, purl: of.purl,
    externalReferences: of.site && [{ type: 'website', url: of.site }], components: of.parts,
  })),
  dependencies: [
    { ref: self, dependsOn: packages.map((of) => of.purl) },
    ...packages.map((of) => ({ ref: of.purl, dependsOn: of.dependencies.map((name) => named.get(name)).filter(Boolean).sort() })),
  ],
}, null, 2)}\n`);

// Each text once, with all that it belongs to.
const owners = new Map();
const missing = [];
for (const of of packages) {
  const texts = of.files.map(text);
  if (texts.length === 0 || of.licence?.startsWith('LGPL'))
    if (of.licence && existsSync(textOf(of.licence))) texts.push(text(textOf(of.licence)));
    else missing.push(`${of.name} ${of.version} (${of.licence ?? 'it names no licence'})`);
  for (const it of texts) owners.set(it, [...(owners.get(it) ?? []), of]);
}
if (missing.length > 0) {
  console.error(`There is no text for the licence of ${missing.join(', ')}: put it into tools/licenses, named after the licence.`);
  process.exit(1);
}
const line = '='.repeat(80);
writeFileSync(join(folder, 'THIRD-PARTY-NOTICES.txt'), [
  `Spotter ${version} contains what others have made, under their licences:`,
  packages.map((of) => `  ${of.name} ${of.version}${of.licence ? `, ${of.licence}` : ''}${of.copyright ? `\n    ${of.copyright}` : ''}${of.site ? `\n    ${of.site}` : ''}`).join('\n'),
  ...[...owners].map(([it, of]) => `${line}\n${of.map((one) => `${one.name} ${one.version}`).join('\n')}\n${line}\n\n${it}`),
].join('\n\n') + '\n');
