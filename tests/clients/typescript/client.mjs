// Temporal's TypeScript client (gRPC in JavaScript) against the server at argv[2]: what a client does to a run whose worker is
// not there. Ends with 1 at the first answer that is not Temporal's.
import assert from 'node:assert/strict';
import { Client, Connection, WorkflowFailedError, WorkflowNotFoundError } from '@temporalio/client';

const connection = await Connection.connect({ address: process.argv[2] });
const client = new Client({ connection });
// Larger than a frame, a window, and what is handled on the short path.
for (const size of [1, 20_000, 70_000, 1_000_000]) {
  const run = await client.workflow.start('nobody', { taskQueue: 'nobody', workflowId: `typescript-${size}`, args: ['x'.repeat(size)] });
  assert.equal((await run.describe()).status.name, 'RUNNING');
  await run.signal('hello', size);
  const history = await run.fetchHistory();
  const input = history.events[0].workflowExecutionStartedEventAttributes.input.payloads[0].data;
  assert.equal(input.length, size + 2);
  await run.terminate('enough');
  await assert.rejects(run.result(), WorkflowFailedError);
}
await assert.rejects(client.workflow.getHandle('not there').describe(), WorkflowNotFoundError);
await connection.close();
