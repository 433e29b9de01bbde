// What a run looks like, folded from its events. Pure: no network, no page. src/http/run_view.cc does the same for the
// API's answers. Events may come twice (a reconnect, a reset); each counts once.

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export const EVENT_TYPES = [
  'run.started', 'run.completed', 'run.failed', 'run.canceled', 'run.closed',
  'step.started', 'step.completed', 'step.retrying', 'step.failed',
  'approval.requested', 'approval.decided', 'delta',
];

export class RunModel {
  constructor(id) {
    this.id = id;
    this.clear();
  }

  clear() {
    this.seq = 0;
    this.items = new Map(); // key -> item, in the order of the log
    this.agent = '';
    this.closed = null;
    this.startedAt = null;
    this.endedAt = null;
  }

  // Returns the keys of the items that changed.
  apply(event) {
    if (event.seq && event.seq <= this.seq && event.type !== 'delta') return [];
    this.seq = Math.max(this.seq, event.seq || 0);
    const data = event.data || {};
    switch (event.type) {
      case 'run.started':
        this.agent = data.agent || '';
        this.startedAt = this.startedAt || event.at;
        return this.put('input', { kind: 'input', text: data.input || '', at: event.at });
      case 'step.started':
        return this.step(data, {
          ...data, status: 'running', error: null, startedAt: this.item(data)?.startedAt || event.at,
        });
      case 'step.completed':
        return this.step(data, { ...data, status: 'completed', endedAt: event.at });
      case 'step.retrying':
        return this.step(data, { ...data, status: 'retrying' });
      case 'step.failed':
        return this.step(data, { ...data, status: 'failed', endedAt: event.at });
      case 'delta':
        return this.delta(data, event);
      case 'approval.requested':
        return this.put(`approval:${data.approval}`, { kind: 'approval', ...data, status: 'pending', at: event.at });
      case 'approval.decided':
        return this.put(`approval:${data.approval}`, { ...data, status: data.outcome, decidedAt: event.at });
      case 'run.completed':
        return this.put('end', { kind: 'end', status: 'completed', text: data.output || '', at: event.at, ...data });
      case 'run.failed':
        return this.put('end', { kind: 'end', status: 'failed', text: data.error || '', type: data.error_type, at: event.at });
      case 'run.canceled':
        return this.put('end', { kind: 'end', status: 'canceled', text: data.reason || '', at: event.at });
      case 'run.closed':
        return this.close(event, data);
      default:
        return [];
    }
  }

  close(event, data) {
    this.closed = data.status;
    this.endedAt = event.at;
    const changed = [];
    for (const [key, item] of this.items) {
      if (item.kind === 'approval' && item.status === 'pending') changed.push(...this.put(key, { status: 'obsolete' }));
      if (item.kind === 'step' && (item.status === 'running' || item.status === 'retrying')) {
        changed.push(...this.put(key, { status: 'stopped', endedAt: event.at }));
      }
    }
    if (!this.items.has('end') || data.status !== 'completed') {
      const output = data.result && typeof data.result === 'object' ? data.result.output : data.result;
      const text = data.error ? data.error.message : output ?? '';
      changed.push(...this.put('end', { kind: 'end', status: data.status, text: String(text), at: event.at }));
    }
    return changed;
  }

  item(data) { return this.items.get(`step:${data.step}`); }

  step(data, change) {
    if (data.step === undefined) return [];
    const before = this.item(data);
    // A model step says its final text; what was streamed before is the same or was replaced.
    if (change.status === 'completed') change.stream = null;
    // A worker that had not heard yet that the run is over.
    if (this.closed && (change.status === 'running' || change.status === 'retrying')) change.status = 'stopped';
    const kind = change.kind || before?.tool;
    return this.put(`step:${data.step}`, { ...change, kind: 'step', tool: kind });
  }

  // Offsets count bytes. Text that is there already is not taken again; a new attempt starts from nothing.
  delta(data, event) {
    const key = `step:${data.step}`;
    const before = this.items.get(key);
    if (before?.status === 'completed') return [];
    let stream = before?.stream || { attempt: 0, text: '', bytes: 0 };
    const attempt = data.attempt || 0;
    if (attempt < stream.attempt) return [];
    if (attempt > stream.attempt || data.reset) {
      const replaced = stream.text !== '' && attempt > stream.attempt;
      stream = { attempt, text: '', bytes: 0, replaced: replaced || stream.replaced };
    }
    let bytes = encoder.encode(data.text || '');
    const known = stream.bytes - (data.offset || 0);
    if (known > 0) bytes = bytes.slice(known);
    if (bytes.length > 0) {
      stream = { ...stream, text: stream.text + decoder.decode(bytes), bytes: stream.bytes + bytes.length };
    }
    return this.put(key, {
      kind: 'step', tool: before?.tool || 'model', step: data.step, stream,
      status: before?.status || (this.closed ? 'stopped' : 'running'), startedAt: before?.startedAt || event.at,
    });
  }

  put(key, change) {
    this.items.set(key, { ...(this.items.get(key) || {}), ...change, key });
    return [key];
  }

  steps() { return [...this.items.values()].filter((item) => item.kind === 'step'); }
  pendingApprovals() {
    return [...this.items.values()].filter((item) => item.kind === 'approval' && item.status === 'pending');
  }
}

// Text that may be JSON, as a value.
export function parsed(text) {
  if (typeof text !== 'string') return text;
  const start = text.trimStart()[0];
  if (start !== '{' && start !== '[') return text;
  try { return JSON.parse(text); } catch { return text; }
}

export function duration(from, to) {
  if (!from) return '';
  const ms = Math.max(0, (to ? new Date(to) : new Date()) - new Date(from));
  if (ms < 1000) return `${ms} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min ${Math.floor((ms % 60_000) / 1000)} s`;
  return `${Math.floor(ms / 3_600_000)} h ${Math.floor((ms % 3_600_000) / 60_000)} min`;
}

export function ago(time) {
  const s = Math.max(0, (Date.now() - new Date(time)) / 1000);
  if (s < 10) return 'now';
  if (s < 60) return `${Math.floor(s)} s ago`;
  if (s < 3600) return `${Math.floor(s / 60)} min ago`;
  if (s < 86_400) return `${Math.floor(s / 3600)} h ago`;
  return new Date(time).toLocaleDateString();
}

export function until(time) {
  const s = (new Date(time) - Date.now()) / 1000;
  if (s <= 0) return 'expired';
  if (s < 90) return `expires in ${Math.ceil(s)} s`;
  if (s < 5400) return `expires in ${Math.round(s / 60)} min`;
  if (s < 172_800) return `expires in ${Math.round(s / 3600)} h`;
  return `expires in ${Math.round(s / 86_400)} days`;
}
