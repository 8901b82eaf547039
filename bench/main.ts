// `npm run bench [name…] [--tiny]`: runs the benchmarks of this folder, one after another, and prints their figures.
import { readdirSync, readFileSync } from 'node:fs'
import { cpus } from 'node:os'
import type { Benchmark, Measurement, Size } from './measurement.ts'

/** Every benchmark of this folder: the modules that export `name` and `run`. Others are their parts. */
async function findBenchmarks(): Promise<Benchmark[]> {
  const found: Benchmark[] = []
  for (const file of readdirSync(import.meta.dirname).sort()) {
    if (!file.endsWith('.ts') || file === 'main.ts') continue
    // Parts may be programs of their own; only what says that it is a benchmark is loaded.
    const text = readFileSync(new URL(file, import.meta.url), 'utf8')
    if (!/^export const name\b/m.test(text) || !/^export (async )?function run\b/m.test(text)) continue
    found.push((await import(`./${file}`)) as Benchmark)
  }
  return found
}

function formatValue({ value, unit }: Measurement): string {
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 3
  return `${value.toFixed(digits)} ${unit}`
}

function print(measurements: readonly Measurement[]): void {
  const width = Math.max(...measurements.map(({ name }) => name.length))
  for (const measurement of measurements) {
    const note = measurement.note ? `  ${measurement.note}` : ''
    console.log(`  ${measurement.name.padEnd(width)}  ${formatValue(measurement).padStart(16)}${note}`)
  }
}

const args = process.argv.slice(2)
const size: Size = args.includes('--tiny') ? 'tiny' : 'full'
const asked = args.filter((argument) => argument !== '--tiny')
const benchmarks = await findBenchmarks()
const unknown = asked.filter((name) => !benchmarks.some((benchmark) => benchmark.name === name))
if (unknown.length > 0) {
  console.error(
    `no benchmark ${unknown.join(', ')}; there are ${benchmarks.map(({ name }) => name).join(', ')}`,
  )
  process.exit(2)
}

console.log(
  `${cpus()[0]?.model ?? 'unknown CPU'}, ${cpus().length} cores, Node ${process.versions.node}, size ${size}`,
)
for (const benchmark of benchmarks) {
  if (asked.length > 0 && !asked.includes(benchmark.name)) continue
  console.log(`\n${benchmark.name}`)
  print(await benchmark.run(size))
}
