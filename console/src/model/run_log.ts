// What a run looks like, folded from its log: the transcript's items in their order. Pure, no network and no page.
// src/platform/runs/run_view.cc does the same for the API's answers.
//
// Events may come twice (a reconnect, a reset); each counts once. Items are replaced, never changed, so a view sees by
// identity what is new.

import { type Fields, type RunEvent, fieldsOf, numberOf, textOf } from './events';
import { isFlow } from './flow';
import { itemRunOf, parentOf, type ItemRuns, type Parent } from './item_runs';

export type StepStatus = 'running' | 'retrying' | 'completed' | 'failed' | 'stopped';
export type ApprovalStatus = 'pending' | 'approved' | 'edited' | 'answered' | 'rejected' | 'expired' | 'obsolete';

// Text while it streams. Offsets count bytes.
export interface Streamed {
  attempt: number;
  text: string;
  bytes: number;
  replaced: boolean; // an attempt before this one had said something
}

interface Common {
  key: string;
  step: number; // where it stands; of the input below all, of the end above all
  at: string;
  within?: number | undefined; // the step of the code that made the call: it stands below that
}
export interface InputItem extends Common { kind: 'input'; text: string }
export interface MessageItem extends Common { kind: 'message'; text: string; by: string; seen: boolean }
export interface NoteItem extends Common { kind: 'note'; type: string; data: Fields }
export interface EndItem extends Common { kind: 'end'; status: string; text: string; errorType: string }
export interface StepItem extends Common {
  kind: 'step';
  tool: string; // 'model', or the type of the tool
  name: string;
  status: StepStatus;
  stream: Streamed | null;
  startedAt: string;
  endedAt: string;
  data: Fields; // what its events said, the newest word of each
  itemRuns?: ItemRuns | undefined; // of a map or loop whose items are runs
}
export interface ApprovalItem extends Common {
  kind: 'approval';
  id: string;
  tool: string;
  status: ApprovalStatus;
  decidedAt: string;
  data: Fields;
}
export type Item = InputItem | MessageItem | NoteItem | EndItem | StepItem | ApprovalItem;

const FIRST = -1;
const LAST = Number.MAX_SAFE_INTEGER;
// Behind one another where they stand at the same step: what the step was told, its question, the step, what was noted.
const RANK: Record<Item['kind'], number> = { input: 0, message: 1, approval: 2, step: 3, note: 4, end: 5 };

const NOTES = new Set([
  'run.waiting', 'run.superseded', 'run.batched', 'step.detached', 'plan.stage', 'run.paused', 'run.parked', 'run.resumed', 'run.forked',
  'effect.reconciled', 'effect.undone', 'effect.not_undone', 'approval.counted', 'approval.escalated', 'approval.applied', 'policy.ruled',
]);

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export class RunLog {
  readonly run: string;
  version = 0; // counts changes
  agent = '';
  parent: Parent | undefined; // the run that called it, or goes over it
  startedAt = '';
  endedAt = '';
  closed = ''; // the final status
  #seq = 0;
  #items = new Map<string, Item>();
  #order: string[] = [];
  #lastStep = 0;
  #shown: { version: number; items: Item[] } = { version: -1, items: [] };

  constructor(run: string) {
    this.run = run;
  }

  clear(): void {
    this.version++;
    this.agent = this.startedAt = this.endedAt = this.closed = '';
    this.parent = undefined;
    this.#seq = this.#lastStep = 0;
    this.#items.clear();
    this.#order = [];
  }

  // The same array until something changes.
  get items(): Item[] {
    if (this.#shown.version !== this.version) {
      this.#shown = { version: this.version, items: this.#order.map((key) => this.#items.get(key)!) };
    }
    return this.#shown.items;
  }

  get pending(): boolean {
    return this.items.some((item) => item.kind === 'approval' && item.status === 'pending');
  }

  // Whether anything changed.
  apply(event: RunEvent): boolean {
    const isDelta = event.type === 'delta';
    if (!isDelta && event.seq && event.seq <= this.#seq) return false;
    this.#seq = Math.max(this.#seq, event.seq || 0);
    const before = this.version;
    const data = fieldsOf(event.data);
    if (isDelta) this.#delta(data, event.at);
    else if (event.type.startsWith('step.')) this.#step(event.type, data, event.at);
    else this.#other(event.type, data, event.at);
    return this.version !== before;
  }

  #other(type: string, data: Fields, at: string): void {
    switch (type) {
      case 'run.started':
        this.agent = textOf(data['agent']);
        this.parent = parentOf(data);
        this.startedAt ||= at;
        return this.#put({ kind: 'input', key: 'input', step: FIRST, at, text: textOf(data['input']) });
      case 'run.completed':
        return this.#end('completed', textOf(data['output']), '', at);
      case 'run.failed':
        return this.#end('failed', textOf(data['error']), textOf(data['error_type']), at);
      case 'run.canceled':
        return this.#end('canceled', textOf(data['reason']), '', at);
      case 'run.closed':
        return this.#close(data, at);
      case 'approval.requested':
      case 'approval.decided':
        return this.#approval(data, type === 'approval.decided', at);
      case 'message.received':
      case 'message.seen':
        return this.#message(data, type === 'message.seen', at);
      default:
        if (type === 'approval.counted' || type === 'approval.escalated') this.#noted(data);
        if (NOTES.has(type)) {
          this.#put({ kind: 'note', key: `note:${this.#seq}`, step: this.#lastStep, at, type, data });
        }
    }
  }

  #end(status: string, text: string, errorType: string, at: string): void {
    this.#put({ kind: 'end', key: 'end', step: LAST, at, status, text, errorType });
  }

  #close(data: Fields, at: string): void {
    this.closed = textOf(data['status']);
    this.endedAt = at;
    this.version++;
    for (const item of this.items) {
      if (item.kind === 'approval' && item.status === 'pending') this.#put({ ...item, status: 'obsolete' });
      if (item.kind === 'step' && (item.status === 'running' || item.status === 'retrying')) {
        this.#put({ ...item, status: 'stopped', endedAt: at });
      }
    }
    if (this.#items.has('end') && this.closed === 'completed') return;
    const error = fieldsOf(data['error']);
    const result = data['result'];
    const output = 'output' in fieldsOf(result) ? fieldsOf(result)['output'] : result;
    this.#end(this.closed, data['error'] ? textOf(error['message']) : textOf(output), textOf(error['type']), at);
  }

  #approval(data: Fields, decided: boolean, at: string): void {
    const id = textOf(data['approval']);
    const key = `approval:${id}`;
    const before = this.#items.get(key) as ApprovalItem | undefined;
    this.#put({
      kind: 'approval', key, id, tool: textOf(data['tool']) || before?.tool || '', at: before?.at ?? at,
      step: numberOf(data['step']) ?? before?.step ?? this.#lastStep, data: { ...before?.data, ...data },
      status: decided ? (textOf(data['outcome']) as ApprovalStatus) : this.closed ? 'obsolete' : 'pending',
      decidedAt: decided ? at : '', within: numberOf(data['within']) ?? before?.within,
    });
  }

  // It waits on: one more has approved, or others may decide as well.
  #noted(data: Fields): void {
    const before = this.#items.get(`approval:${textOf(data['approval'])}`) as ApprovalItem | undefined;
    if (before) this.#put({ ...before, data: { ...before.data, ...data } });
  }

  // Older servers gave what was received no id: then what is seen is the first with those words that was not seen yet.
  #message(data: Fields, seen: boolean, at: string): void {
    const [id, text, by] = [textOf(data['id']), textOf(data['text'] ?? data['input']), textOf(data['by'])];
    const isIt = (item: Item) => item.kind === 'message' && !item.seen && item.text === text && item.by === by;
    const key = id && this.#items.has(`message:${id}`) ? `message:${id}`
      : ((seen ? this.items.find(isIt)?.key : undefined) ?? `message:${id || `at ${this.#seq}`}`);
    const before = this.#items.get(key) as MessageItem | undefined;
    this.#put({
      kind: 'message', key, at: before?.at ?? at, seen: seen || (before?.seen ?? false),
      step: (seen ? numberOf(data['step']) : undefined) ?? this.#lastStep + 1, text: text || before?.text || '', by: by || before?.by || '',
    });
  }

  #step(type: string, data: Fields, at: string): void {
    const step = numberOf(data['step']);
    if (step === undefined) return;
    const before = this.#stepItem(step);
    const word = type.slice('step.'.length);
    const itemRuns = itemRunOf(before?.itemRuns, data);
    // A part of a map that ends late says how far it came, and not that the map goes on.
    if (word === 'progress' && before && before.status !== 'running') {
      if (itemRuns !== before.itemRuns) this.#put({ ...before, itemRuns });
      return;
    }
    let status = word === 'started' || word === 'waiting' || word === 'progress' ? 'running' : (word as StepStatus);
    // A worker that had not heard yet that the run is over.
    if (this.closed && (status === 'running' || status === 'retrying')) status = 'stopped';
    const over = status === 'completed' || status === 'failed' || status === 'stopped';
    const told: Fields = { ...before?.data, ...data };
    if (word === 'started') delete told['error'];
    // A flow's block that is tried again within its activity is not told to have started again.
    if (before?.status === 'retrying' && (status === 'completed' || status === 'failed') && isFlow(this.agent)) told['attempt'] = (numberOf(before.data['attempt']) ?? 1) + 1;
    this.#put({
      kind: 'step', key: `step:${step}`, step, at: before?.at ?? at, status, data: told, itemRuns,
      tool: textOf(data['kind']) || before?.tool || '', name: textOf(data['name']) || before?.name || '',
      // A model step says its final text; what was streamed before is the same or was replaced.
      stream: status === 'completed' ? null : (before?.stream ?? null),
      within: numberOf(data['within']) ?? before?.within,
      startedAt: before?.startedAt || at, endedAt: over ? (before?.endedAt && status === 'stopped' ? before.endedAt : at) : '',
    });
  }

  // Text that is there already is not taken again; a new attempt starts from nothing.
  #delta(data: Fields, at: string): void {
    const step = numberOf(data['step']);
    if (step === undefined) return;
    const before = this.#stepItem(step);
    if (before?.status === 'completed') return;
    const attempt = numberOf(data['attempt']) ?? 0;
    let stream = before?.stream ?? { attempt: 0, text: '', bytes: 0, replaced: false };
    if (attempt < stream.attempt) return;
    if (attempt > stream.attempt || data['reset'] === true) {
      const said = attempt > stream.attempt && stream.text !== '';
      stream = { attempt, text: '', bytes: 0, replaced: said || stream.replaced };
    }
    let bytes = encoder.encode(textOf(data['text']));
    const known = stream.bytes - (numberOf(data['offset']) ?? 0);
    if (known > 0) bytes = bytes.slice(known);
    if (bytes.length > 0) {
      stream = { ...stream, text: stream.text + decoder.decode(bytes), bytes: stream.bytes + bytes.length };
    } else if (stream === before?.stream) {
      return;
    }
    this.#put({
      kind: 'step', key: `step:${step}`, step, at: before?.at ?? at, tool: before?.tool || 'model', name: before?.name ?? '',
      within: before?.within, status: before?.status ?? (this.closed ? 'stopped' : 'running'), stream, data: before?.data ?? {},
      startedAt: before?.startedAt || at, endedAt: before?.endedAt ?? '',
    });
  }

  #stepItem(step: number): StepItem | undefined {
    return this.#items.get(`step:${step}`) as StepItem | undefined;
  }

  #put(item: Item): void {
    this.version++;
    if (item.kind === 'step' || item.kind === 'approval') this.#lastStep = Math.max(this.#lastStep, item.step);
    const before = this.#items.get(item.key);
    this.#items.set(item.key, item);
    if (before && before.step === item.step && before.within === item.within) return;
    if (before) this.#order.splice(this.#order.indexOf(item.key), 1);
    // Nearly always at the end.
    let place = this.#order.length;
    while (place > 0 && follows(this.#items.get(this.#order[place - 1]!)!, item)) place--;
    this.#order.splice(place, 0, item.key);
  }
}

// Steps that run side by side stand in their order, not in that of their starts; what code called stands below it.
function follows(one: Item, other: Item): boolean {
  const [top, otherTop] = [one.within ?? one.step, other.within ?? other.step];
  if (top !== otherTop) return top > otherTop;
  if (one.within === undefined || other.within === undefined) {
    if (one.within !== other.within) return one.within !== undefined;
  } else if (one.step !== other.step) {
    return one.step > other.step;
  }
  return RANK[one.kind] > RANK[other.kind];
}
