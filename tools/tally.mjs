// Adds up what the test runners reported. Usage: node tally.mjs OUTCOMES, a file of lines
// "trx|vitest EXITSTATUS REPORT NAME". Prints what was skipped and what failed, then the sum;
// exit status 1 if a test failed, a runner failed without saying which test, or nothing passed.
import { existsSync, readFileSync } from 'node:fs';

/** Undoes XML's escapes. */
function text(xml) {
  const named = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };
  return xml.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (all, hex, decimal, name) =>
    hex ? String.fromCodePoint(parseInt(hex, 16)) : decimal ? String.fromCodePoint(Number(decimal)) : named[name] ?? all);
}

/** Results of a Visual Studio test report: its counters leave skipped tests out, so the results are counted. */
function* fromTrx(report) {
  const outcomes = { Passed: 'passed', NotExecuted: 'skipped' };
  for (const [, attributes, selfClosed, body] of
    report.matchAll(/<UnitTestResult\b((?:\s+[\w:]+="[^"]*")*)\s*(?:(\/>)|>([\s\S]*?)<\/UnitTestResult>)/g)) {
    const of = (name) => text(attributes.match(new RegExp(`\\s${name}="([^"]*)"`))?.[1] ?? '');
    const said = (tag) => selfClosed ? undefined : body.match(new RegExp(`<${tag}>([\\s\\S]*?)</${tag}>`))?.[1];
    yield { name: of('testName'), outcome: outcomes[of('outcome')] ?? 'failed', reason: text(said('Message') ?? said('StdOut') ?? '').trim() };
  }
}

function* fromVitest(report) {
  const outcomes = { passed: 'passed', failed: 'failed' };
  for (const file of JSON.parse(report).testResults) {
    if (file.assertionResults.length === 0 && file.status === 'failed')
      yield { name: file.name, outcome: 'failed', reason: file.message };
    for (const test of file.assertionResults)
      yield { name: test.fullName, outcome: outcomes[test.status] ?? 'skipped', reason: test.failureMessages?.[0] ?? test.status };
  }
}

/** What a failed test said, in one line. */
function brief(reason) {
  const line = reason.replace(/\s+/g, ' ').trim();
  return line.length > 500 ? `${line.slice(0, 500)}…` : line;
}

const sum = { passed: 0, failed: 0, skipped: 0 };
for (const line of readFileSync(process.argv[2], 'utf8').trim().split('\n').filter(Boolean)) {
  const [, kind, status, file, name] = line.match(/^(\S+) (\d+) (.*) (\S+)$/);
  const report = existsSync(file) ? readFileSync(file, 'utf8') : null;
  const results = report === null ? [] : [...(kind === 'trx' ? fromTrx(report) : fromVitest(report))];
  for (const result of results) {
    sum[result.outcome]++;
    if (result.outcome === 'skipped')
      console.log(`skipped: ${result.name} (${result.reason || 'no reason given'})`);
    if (result.outcome === 'failed')
      console.log(`failed: ${result.name} (${brief(result.reason) || 'no reason given'})`);
  }
  const aborted = report?.match(/<RunInfo\b[^>]*outcome="Error"[^>]*>\s*<Text>[^<]*\b(?:aborted|crashed)\b/);
  if (aborted) {
    sum.failed++;
    console.log(`failed: ${name} ended before all its tests had run`);
  } else if (report === null || (status !== '0' && !results.some((result) => result.outcome === 'failed'))) {
    sum.failed++;
    const why = status === '124' || status === '137' ? 'did not end in time' : `ended with status ${status}`;
    console.log(`failed: ${name} ${why} without naming a failed test${report === null ? ' or writing a report' : ''}`);
  }
}
console.log(`${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped`);
process.exitCode = sum.failed > 0 || sum.passed === 0 ? 1 : 0;
