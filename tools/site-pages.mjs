// Copies the pages of the documentation site to a folder, in the form that docfx takes: node site-pages.mjs FOLDER [REPOSITORY].
// docs/README.md is the start page, and its tables are the table of contents. What can be reached from it by links is a page; links to
// other files lead to REPOSITORY, an address like https://github.com/OWNER/NAME, or are plain text where there is none.
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';

const [folder, repository] = process.argv.slice(2);
const root = join(import.meta.dirname, '..');
const start = 'docs/README.md';

function fail(sentence) {
  console.error(sentence);
  process.exit(1);
}

/** Where a file of the repository lies among the pages. */
const placeOf = (file) => (file === start ? 'index.md' : file);

const isPage = (file) => file.endsWith('.md');
const isPicture = (file) => /\.(png|jpg|svg)$/.test(file);

/** The lines of a page, each with whether it stands in a block of code. */
function* linesOf(text) {
  let inBlock = false;
  for (const line of text.split('\n')) {
    const fence = line.startsWith('```');
    yield [line, inBlock || fence];
    if (fence) inBlock = !inBlock;
  }
}

/** A page as docfx takes it, and the files that it links. */
function rewrite(page, text) {
  const linked = [];
  const link = (whole, picture, label, target) => {
    if (/^([a-z]+:|#)/.test(target)) return whole;
    const [path, anchor] = target.split('#');
    const file = posix.join(posix.dirname(page), path);
    if (!existsSync(join(root, file))) fail(`${page} links ${target}, which is not there`);
    if (isPage(file) || isPicture(file)) {
      linked.push(file);
      const place = posix.relative(posix.dirname(placeOf(page)), placeOf(file));
      return `${picture}[${label}](${place}${anchor ? `#${anchor}` : ''})`;
    }
    const kind = statSync(join(root, file)).isDirectory() ? 'tree' : 'blob';
    return repository ? `[${label}](${repository}/${kind}/main/${file})` : label;
  };
  const lines = [];
  for (const [line, isCode] of linesOf(text)) {
    // Comments are for the tests, and a page's source need not have them.
    lines.push(isCode ? line : line.replace(/<!--.*?-->/g, '').replace(/(!?)\[([^\]]+)\]\(([^)\s]+)\)/g, link));
  }
  const edit = repository ? `---\ndocurl: ${repository}/edit/main/${page}\n---\n` : '';
  return { text: edit + lines.join('\n'), linked };
}

/** The table of contents: a group for each heading of the start page, an item for each row below it. */
function contentsOf(text) {
  const items = ['- name: Start page', '  href: ../index.md'];
  for (const [line] of linesOf(text)) {
    const row = line.match(/^\| .* \| \[(.+)\]\((.+)\) \|$/);
    if (line.startsWith('## ')) items.push(`- name: ${line.slice(3)}`, '  expanded: true', '  items:');
    else if (row) items.push(`  - name: ${row[1]}`, `    href: ${row[2]}`);
  }
  return `${items.join('\n')}\n`;
}

function write(place, text) {
  mkdirSync(dirname(join(folder, place)), { recursive: true });
  writeFileSync(join(folder, place), text);
}

const known = new Set([start]);
for (const file of known) {
  if (isPicture(file)) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    copyFileSync(join(root, file), join(folder, file));
    continue;
  }
  const { text, linked } = rewrite(file, readFileSync(join(root, file), 'utf8'));
  write(placeOf(file), text);
  for (const other of linked) known.add(other);
}
write('docs/toc.yml', contentsOf(readFileSync(join(root, start), 'utf8')));
write('toc.yml', '- name: Docs\n  href: docs/\n  homepage: index.md\n- name: API for engines\n  href: api/\n  homepage: api/Spotter.Engine.yml\n');
copyFileSync(join(root, 'web', 'public', 'favicon.svg'), join(folder, 'icon.svg'));
