import { useEffect, useRef } from 'preact/hooks'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { useDark } from './use_dark.ts'

/** One line or one part of the bars. */
export interface ChartSeries {
  readonly name: string
  /** Null where there is nothing to show. */
  readonly values: readonly (number | null)[]
  /** Which of the seven colours; default by its place. */
  readonly hue?: number
}

export interface ChartProps {
  /** What it shows, for those who cannot see it. */
  readonly label: string
  /** In ms since the epoch. */
  readonly times: readonly number[]
  readonly series: readonly ChartSeries[]
  /** `bars` are stacked. */
  readonly kind: 'bars' | 'lines'
  readonly text: (value: number) => string
  readonly height?: number
}

/** Values over time. The figures themselves stand in tables beside it or in its label. */
export function Chart({ label, times, series, kind, text, height = 190 }: ChartProps) {
  const place = useRef<HTMLDivElement>(null)
  const dark = useDark()
  useEffect(() => {
    const element = place.current
    if (!element) return
    const plot = new uPlot(
      options(series, kind, text, element.clientWidth, height),
      dataOf(times, series, kind),
      element,
    )
    const observer = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height }))
    observer.observe(element)
    return () => {
      observer.disconnect()
      plot.destroy()
    }
  }, [times, series, kind, text, height, dark])
  return (
    <figure class="chart">
      <div ref={place} role="img" aria-label={label} />
      {series.length > 1 && (
        <figcaption>
          {series.map((one, i) => (
            <span key={one.name} class={`key key-${one.hue ?? i % 7}`}>
              {one.name}
            </span>
          ))}
        </figcaption>
      )}
    </figure>
  )
}

/** Stacked parts are drawn as sums, the highest first, so that each lower one covers what is not its own. */
function dataOf(
  times: readonly number[],
  series: readonly ChartSeries[],
  kind: ChartProps['kind'],
): uPlot.AlignedData {
  const seconds = times.map((time) => time / 1_000)
  if (kind === 'lines') return [seconds, ...series.map((one) => [...one.values])]
  const sums: number[][] = []
  for (const { values } of series) {
    const below = sums.at(-1)
    sums.push(values.map((value, i) => (value ?? 0) + (below?.[i] ?? 0)))
  }
  return [seconds, ...sums.toReversed()]
}

function options(
  series: readonly ChartSeries[],
  kind: ChartProps['kind'],
  text: (value: number) => string,
  width: number,
  height: number,
): uPlot.Options {
  const style = getComputedStyle(document.documentElement)
  const colour = (name: string) => style.getPropertyValue(name).trim()
  const colours = series.map(({ hue }, i) => colour(`--series-${hue ?? i % 7}`))
  const drawn = kind === 'bars' ? colours.toReversed() : colours
  const axis = {
    stroke: colour('--dim'),
    font: '11px system-ui, sans-serif',
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { show: false },
  }
  return {
    width,
    height,
    legend: { show: false },
    cursor: { show: false },
    padding: [8, 8, 0, 0],
    scales: { y: { range: (_, __, max) => [0, max > 0 ? max * 1.1 : 1] } },
    axes: [
      { ...axis, grid: { show: false }, space: 70 },
      { ...axis, size: 58, space: 34, values: (_, splits) => splits.map((value) => text(value)) },
    ],
    series: [
      {},
      ...drawn.map((stroke, i) => ({
        stroke,
        width: kind === 'bars' ? 0 : i === 0 ? 1.8 : 1.3,
        // Lone values between gaps would be no line.
        points: { show: kind === 'lines', size: 4, width: 1 },
        spanGaps: false,
        ...(kind === 'bars' && { fill: stroke, paths: uPlot.paths.bars!({ size: [0.8, 40] }) }),
      })),
    ],
  }
}
