// A process of its own for the load, so that it does not share a thread with what it measures. Takes a Load by IPC.
import { generateLoad, type Load } from './load_generator.ts'

process.on('message', async (load: Load) => {
  try {
    process.send?.({ result: await generateLoad(load) })
  } catch (error) {
    process.send?.({ problem: (error as Error).message })
  }
})
