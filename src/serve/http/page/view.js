// Items of a run as elements. No state of its own: what it is given is what it shows.

import { ago, duration, parsed, until } from './model.js';

// h('p', {class: 'x', onclick: f}, 'text', child): text is always text, never markup.
export function h(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : value);
  }
  for (const child of children.flat(Infinity)) {
    if (child !== null && child !== undefined && child !== false) element.append(child);
  }
  return element;
}

const SIGNS = {
  queued: '\u25CB', running: '\u25B8', retrying: '\u21BB', completed: '\u2713', failed: '\u2715', canceled: '\u2298',
  terminated: '\u2298', timed_out: '\u2715', stopped: '\u2298', pending: '?', approved: '\u2713', edited: '\u270E',
  rejected: '\u2715', expired: '\u29D6', obsolete: '\u2298',
};
const WORDS = { timed_out: 'timed out', obsolete: 'not needed any more' };

export function chip(status, text) {
  return h('span', { class: `chip ${status}` }, h('span', { 'aria-hidden': 'true' }, SIGNS[status] || '\u2022'), ` ${text || WORDS[status] || status}`);
}

export function plainText(value) {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

const isPlain = (value) => value === null || typeof value !== 'object';
const isRow = (value) => value && typeof value === 'object' && !Array.isArray(value) && Object.values(value).every(isPlain);
const MAX_ROWS = 50;

// Rows of a query as a table.
function tableView(rows) {
  const names = [...new Set(rows.flatMap(Object.keys))];
  return h('div', { class: 'scroll', tabindex: '0' }, h('table', {},
    h('thead', {}, h('tr', {}, names.map((name) => h('th', { scope: 'col' }, name)))),
    h('tbody', {}, rows.slice(0, MAX_ROWS).map((row) => h('tr', {}, names.map((name) => h('td', {}, String(row[name] ?? ''))))))),
  rows.length > MAX_ROWS ? h('p', { class: 'note' }, `and ${rows.length - MAX_ROWS} more`) : null);
}

// Arguments and results: rows become a table, an object names and values, everything else text.
export function valueView(raw) {
  const value = parsed(raw);
  if (Array.isArray(value) && value.length && value.every(isRow)) return tableView(value);
  if (value && typeof value === 'object' && !Array.isArray(value)) {
    const entries = Object.entries(value);
    const [only] = entries;
    if (entries.length === 1 && Array.isArray(only[1]) && only[1].length && only[1].every(isRow)) return tableView(only[1]);
    if (entries.length <= 24) {
      return h('dl', { class: 'fields' }, entries.map(([name, field]) => [
        h('dt', {}, name), h('dd', {}, isPlain(field) ? String(field) : valueView(field)),
      ]));
    }
  }
  return h('pre', { tabindex: '0' }, value && typeof value === 'object' ? JSON.stringify(value, null, 2) : String(value ?? ''));
}

export function runRow(run, chosen) {
  const waits = run.waiting_on === 'approval';
  const status = waits ? 'pending' : run.status;
  return h('li', {}, h('a', { href: `#/runs/${encodeURIComponent(run.id)}`, class: 'run', 'aria-current': chosen ? 'page' : null },
    h('span', { class: 'run-top' }, h('strong', {}, run.agent), h('time', { datetime: run.created_at, title: run.created_at }, ago(run.created_at))),
    h('span', { class: 'run-input' }, plainText(run.input)),
    chip(status, waits ? 'waits for approval' : null)));
}

// ---- transcript

function inputView(item) {
  return h('article', { class: 'say user', 'aria-label': 'Input' }, h('p', { class: 'prose' }, plainText(item.text)));
}

function modelView(item) {
  const streaming = item.status === 'running' || item.status === 'retrying';
  const text = item.text ?? item.stream?.text ?? '';
  const notes = [];
  if (item.attempt > 1 && streaming) notes.push(`attempt ${item.attempt}`);
  if (item.status === 'retrying') notes.push(`will be tried again: ${item.error || ''}`);
  if (item.status === 'failed') notes.push(item.error || 'failed');
  if (item.status === 'stopped') notes.push('stopped');
  if (!text && !notes.length && !streaming) return h('article', { class: 'say model silent', hidden: true });
  return h('article', { class: `say model ${item.status}`, 'aria-label': `Model ${item.name || ''}`, 'aria-busy': streaming ? 'true' : null },
    h('p', { class: 'prose' }, text, streaming ? h('span', { class: 'caret', 'aria-hidden': 'true' }) : null),
    notes.length ? h('p', { class: `note ${item.status}` }, notes.join(' \u00B7 ')) : null);
}

function toolView(item) {
  const bad = item.is_error || item.status === 'failed';
  const sub = item.run ? h('a', { href: `#/runs/${encodeURIComponent(item.run)}` }, 'open the sub-agent\u2019s run') : null;
  return h('article', { class: `tool ${item.status}${bad ? ' bad' : ''}`, 'aria-label': `Tool ${item.name}` },
    h('header', {}, h('span', { class: 'kind' }, item.tool || 'tool'), h('strong', {}, item.name || ''),
      chip(bad ? 'failed' : item.status, item.status === 'completed' ? duration(item.startedAt, item.endedAt) : null)),
    item.arguments !== undefined ? valueView(item.arguments) : null,
    sub,
    item.error ? h('p', { class: `note ${item.status}` }, item.status === 'retrying' ? `attempt ${item.attempt || 1} failed, will be tried again: ` : '', item.error) : null,
    item.result !== undefined
      ? h('details', { class: 'result', open: String(item.result).length < 400 }, h('summary', {}, bad ? 'Error' : 'Result'), valueView(item.result))
      : null);
}

function approvalView(item, actions) {
  const head = h('header', {}, h('span', { class: 'kind' }, 'approval'), h('strong', {}, item.tool), chip(item.status));
  if (item.status !== 'pending') {
    const by = item.decided_by ? ` by ${item.decided_by}` : '';
    return h('article', { class: `approval ${item.status}`, 'aria-label': `Approval of ${item.tool}` }, head,
      valueView(item.edited_arguments ?? item.arguments),
      item.decidedAt ? h('p', { class: 'note' }, `${item.status}${by}, `, h('time', { datetime: item.decidedAt }, new Date(item.decidedAt).toLocaleString())) : null,
      item.comment ? h('p', { class: 'note' }, `\u201C${item.comment}\u201D`) : null);
  }
  const comment = h('input', { type: 'text', placeholder: 'Comment (optional)', 'aria-label': 'Comment', maxlength: '1000' });
  const problem = h('p', { class: 'note failed', role: 'alert', hidden: true });
  const buttons = [];
  const decide = async (decision) => {
    buttons.forEach((button) => { button.disabled = true; });
    const error = await actions.decide(item, decision, comment.value);
    if (!error) return;
    problem.textContent = error;
    problem.hidden = false;
    buttons.forEach((button) => { button.disabled = false; });
  };
  buttons.push(
    h('button', { class: 'button primary', onclick: () => decide('approve') }, 'Approve'),
    h('button', { class: 'button danger', onclick: () => decide('reject') }, 'Reject'));
  return h('article', { class: 'approval pending', 'aria-label': `Approval of ${item.tool} is needed` }, head,
    item.reason ? h('p', { class: 'reason' }, item.reason) : null,
    valueView(item.arguments),
    item.expires_at_ms ? h('p', { class: 'note' }, until(item.expires_at_ms)) : null,
    h('div', { class: 'actions' }, comment, buttons),
    problem);
}

function endView(item) {
  const good = item.status === 'completed';
  return h('article', { class: `end ${item.status}`, 'aria-label': good ? 'Result' : 'End' },
    h('header', {}, chip(item.status), good ? h('strong', {}, 'Result') : null),
    item.text ? h('p', { class: 'prose' }, plainText(item.text)) : null);
}

export function itemView(item, actions) {
  switch (item.kind) {
    case 'input': return inputView(item);
    case 'approval': return approvalView(item, actions);
    case 'end': return endView(item);
    default: return item.tool === 'model' ? modelView(item) : toolView(item);
  }
}

// ---- timeline

// Steps, and the time that people took, as bars over the time of the run.
export function timelineView(model) {
  const waits = [...model.items.values()].filter((item) => item.kind === 'approval').map((item) => ({
    step: item.step, name: 'waits for a person', status: 'waiting', startedAt: item.at, endedAt: item.decidedAt || model.endedAt,
  }));
  const rows = [...model.steps(), ...waits].sort((a, b) => a.step - b.step || new Date(a.startedAt) - new Date(b.startedAt));
  if (!rows.length) return h('p', { class: 'empty' }, 'No steps yet.');
  const start = new Date(model.startedAt || rows[0].startedAt).getTime();
  const open = !model.endedAt && rows.some((row) => !row.endedAt);
  const end = Math.max(open ? Date.now() : 0, ...rows.map((row) => new Date(row.endedAt || row.startedAt).getTime()), start + 1);
  return h('ol', { class: 'timeline' }, rows.map((row) => {
    const from = new Date(row.startedAt || model.startedAt).getTime();
    const to = row.endedAt ? new Date(row.endedAt).getTime() : end;
    const bar = h('span', { class: `span ${row.is_error ? 'failed' : row.status}` });
    bar.style.left = `${Math.min(98.5, (100 * (from - start)) / (end - start))}%`;
    bar.style.width = `${Math.max(1.5, (100 * (to - from)) / (end - start))}%`;
    return h('li', {},
      h('span', { class: 'step-name' }, `${row.step}. ${row.name || row.tool || ''}`),
      h('span', { class: 'step-time' }, row.attempt > 1 ? `${row.attempt} attempts, ` : '', duration(row.startedAt, row.endedAt)),
      h('span', { class: 'track', 'aria-hidden': 'true' }, bar),
      h('span', { class: 'visually-hidden' }, row.status));
  }));
}
