import type { ExchangeItem } from '../../src/control/messages.ts'
import { ExchangePane } from './exchange_pane.tsx'
import { ExchangeRow } from './exchange_row.tsx'
import { useExchanges } from './use_exchanges.ts'

/** The latest exchanges, and the one that is looked at: `selected` is its id, empty for none. */
export function ExchangesPage({ selected }: { selected: string }) {
  const { exchanges, failure, refresh } = useExchanges()
  return (
    <main class={`exchanges ${selected ? 'with-pane' : ''}`}>
      <section class="list" aria-label="Recent exchanges">
        <header class="list-head">
          <h2>Recent exchanges</h2>
          <button type="button" class="link" onClick={refresh}>
            Refresh
          </button>
        </header>
        {failure && (
          <p class="failure" role="alert">
            {failure}
          </p>
        )}
        {exchanges === null && !failure && (
          <p class="dim" role="status">
            Loading…
          </p>
        )}
        {exchanges?.length === 0 && (
          <div class="empty">
            <h2>Nothing recorded yet</h2>
            <p class="dim">Every request through the gateway is listed here, masked, once it has ended.</p>
          </div>
        )}
        {exchanges && exchanges.length > 0 && <ExchangeTable exchanges={exchanges} selected={selected} />}
      </section>
      {selected && <ExchangePane key={selected} id={selected} />}
    </main>
  )
}

function ExchangeTable({ exchanges, selected }: { exchanges: readonly ExchangeItem[]; selected: string }) {
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">Time</th>
          <th scope="col">Caller</th>
          <th scope="col">Request</th>
          <th scope="col" class="number">
            Status
          </th>
          <th scope="col" class="number">
            Findings
          </th>
          <th scope="col">Outcome</th>
        </tr>
      </thead>
      <tbody>
        {exchanges.map((exchange) => (
          <ExchangeRow key={exchange.id} exchange={exchange} selected={exchange.id === selected} />
        ))}
      </tbody>
    </table>
  )
}
