// The page: routes (#/, #/new, #/runs/ID), data, and one event stream that survives the server.

import { EVENT_TYPES, RunModel, ago, duration } from './model.js';
import { chip, h, itemView, plainText, runRow, timelineView } from './view.js';

const $ = (id) => document.getElementById(id);
const state = {
  runs: [], next: null, run: null, model: null, elements: new Map(), dirty: new Set(), route: '', stream: null, cursor: '', down: false,
};

async function api(path, options) {
  const response = await fetch(`/api/v1${path}`, {
    headers: options?.body ? { 'Content-Type': 'application/json' } : {}, ...options,
  });
  const body = await response.json().catch(() => null);
  if (response.ok) return body;
  const error = new Error(body?.detail || `The server answered ${response.status}.`);
  error.hint = body?.hint;
  error.status = response.status;
  throw error;
}
const post = (path, body) => api(path, { method: 'POST', body: JSON.stringify(body) });
const announce = (text) => { $('announce').textContent = text; };

// ---- runs

async function loadRuns() {
  try {
    const page = await api('/runs?limit=50');
    state.runs = page.runs;
    state.next = page.next_cursor;
    showRuns();
  } catch { /* the stream says when the server is back */ }
}

async function loadOlder() {
  const page = await api(`/runs?limit=50&cursor=${encodeURIComponent(state.next)}`);
  state.runs.push(...page.runs);
  state.next = page.next_cursor;
  showRuns();
}

function showRuns() {
  const chosen = state.model?.id;
  $('runs').replaceChildren(...state.runs.map((run) => runRow(run, run.id === chosen)));
  if (!state.runs.length) $('runs').replaceChildren(h('li', { class: 'empty' }, 'No runs yet.'));
  $('more').hidden = !state.next;
}

let runsTimer = 0;
function loadRunsSoon() {
  clearTimeout(runsTimer);
  runsTimer = setTimeout(loadRuns, 150);
}

// ---- one run

function openRun(id) {
  state.model = new RunModel(id);
  state.run = null;
  state.elements.clear();
  const transcript = h('div', { id: 'transcript', class: 'transcript', 'aria-label': 'Transcript' });
  const timeline = h('aside', { class: 'side', 'aria-label': 'Timeline' }, h('h2', {}, 'Timeline'), h('div', { id: 'timeline' }));
  $('detail').replaceChildren(h('div', { id: 'head', class: 'head' }), h('div', { class: 'columns' }, transcript, timeline));
  showHead();
  connect();
  loadRun();
}

async function loadRun() {
  const { model } = state;
  if (!model) return;
  try {
    const run = await api(`/runs/${encodeURIComponent(model.id)}`);
    if (model !== state.model) return;
    state.run = run;
    showHead();
  } catch (error) {
    if (error.status === 404 && model === state.model && model.items.size === 0) {
      noRun(error.message);
    }
  }
}

function noRun(message) {
  $('detail').replaceChildren(h('a', { class: 'back', href: '#/' }, '\u2190 Runs'), h('p', { class: 'empty' }, message));
}

let runTimer = 0;
function loadRunSoon() {
  clearTimeout(runTimer);
  runTimer = setTimeout(loadRun, 150);
}

function runStatus() {
  const { model, run } = state;
  if (model.closed) return model.closed;
  if (model.pendingApprovals().length) return 'pending';
  return run?.status || 'running';
}

function showHead() {
  const { model, run } = state;
  const status = runStatus();
  const facts = [];
  const began = run?.started_at || model.startedAt;
  const over = model.endedAt || run?.closed_at;
  if (began) facts.push(h('span', { id: 'age', title: began }, over ? `took ${duration(began, over)}` : `for ${duration(began)}`));
  if (run?.usage?.model_calls) {
    facts.push(h('span', {}, `${run.usage.model_calls} model call${run.usage.model_calls === 1 ? '' : 's'}`),
      h('span', {}, `${(run.usage.input_tokens + run.usage.output_tokens).toLocaleString()} tokens`));
    const cost = (run.spent || run.usage).cost;
    facts.push(h('span', { title: cost?.price_as_of ? `prices of ${cost.price_as_of}` : '' }, cost ? `${cost.usd} USD` : 'unpriced'));
  }
  if (run?.version) facts.push(h('span', { title: run.version }, `version ${run.version.slice(0, 8)}`));
  const open = !model.closed && (!run || run.status === 'running' || run.status === 'queued');
  $('head')?.replaceChildren(
    h('a', { class: 'back', href: '#/' }, '\u2190 Runs'),
    h('div', { class: 'title' }, h('h1', {}, run?.agent || model.agent || 'Run'),
      chip(status, status === 'pending' ? 'waits for approval' : null),
      open ? h('button', { class: 'button quiet small', onclick: cancelRun }, 'Cancel run') : null),
    h('p', { class: 'facts' }, h('code', {}, model.id), facts));
}

async function cancelRun(event) {
  event.target.disabled = true;
  try {
    await post(`/runs/${encodeURIComponent(state.model.id)}/cancel`, { reason: 'cancelled on the page' });
  } catch (error) {
    announce(error.message);
    event.target.disabled = false;
  }
}

const actions = {
  // Returns what went wrong, or nothing.
  async decide(item, decision, comment) {
    try {
      await post(`/approvals/${encodeURIComponent(item.approval)}/decision`, {
        decision, comment, decided_by: 'page', arguments_sha256: item.arguments_sha256,
      });
      announce(`${item.tool}: ${decision === 'approve' ? 'approved' : 'rejected'}`);
      return '';
    } catch (error) {
      loadRunSoon();
      return error.message;
    }
  },
};

// Many events become one repaint.
function touch(keys) {
  for (const key of keys) state.dirty.add(key);
  if (state.frame) return;
  state.frame = requestAnimationFrame(paint);
}

// Steps that run side by side stand in their order, not in that of their starts.
function placeOf(item) {
  if (item.step === undefined) return null;
  for (const [key, element] of state.elements) {
    const other = state.model.items.get(key);
    if (other?.step > item.step || (other?.step === item.step && item.kind === 'approval')) return firstOf(element, item.step);
  }
  return null;
}

function firstOf(element, step) {
  let first = element;
  for (const [key, other] of state.elements) {
    if (state.model.items.get(key)?.step > step && other.compareDocumentPosition(first) & Node.DOCUMENT_POSITION_FOLLOWING) first = other;
  }
  return first;
}

function paint() {
  state.frame = 0;
  const transcript = $('transcript');
  const { model } = state;
  if (!transcript || !model) return;
  const page = document.scrollingElement;
  const following = page.scrollHeight - page.scrollTop - page.clientHeight < 160;
  for (const key of state.dirty) {
    const item = model.items.get(key);
    if (!item) continue;
    const before = state.elements.get(key);
    // Typing a comment must not be interrupted by a repaint of the same card.
    if (before && item.kind === 'approval' && item.status === 'pending') continue;
    const element = itemView(item, actions);
    if (before) before.replaceWith(element);
    else transcript.insertBefore(element, placeOf(item));
    state.elements.set(key, element);
  }
  state.dirty.clear();
  const end = state.elements.get('end');
  if (end) transcript.append(end);
  $('timeline')?.replaceChildren(timelineView(model));
  showHead();
  if (following) page.scrollTop = page.scrollHeight;
}

function tell(event) {
  const data = event.data || {};
  if (event.type === 'approval.requested') announce(`${data.tool} waits for approval`);
  if (event.type === 'step.completed' && data.kind !== 'model') announce(`${data.name} is done`);
  if (event.type === 'run.closed') announce(`the run is over: ${data.status}`);
}

// ---- the stream

function linkState(name, text) {
  $('link').dataset.state = name;
  $('link').textContent = text;
}

function connect(cursor) {
  state.stream?.close();
  state.cursor = cursor || '';
  const query = new URLSearchParams();
  if (state.model) query.append('run', state.model.id);
  if (cursor) query.append('cursor', cursor);
  const stream = new EventSource(`/api/v1/events?${query}`);
  state.stream = stream;
  stream.onopen = () => {
    if (state.down) announce('connected again');
    state.down = false;
    linkState('live', 'live');
    loadRuns();
    loadRunSoon();
  };
  stream.onerror = () => {
    if (stream !== state.stream) return;
    state.down = true;
    linkState('down', 'reconnecting');
    // The browser retries by itself, except after an answer that is no stream.
    if (stream.readyState === EventSource.CLOSED) setTimeout(() => stream === state.stream && connect(state.cursor), 700);
  };
  const remember = (message) => { if (message.lastEventId) state.cursor = message.lastEventId; };
  stream.addEventListener('runs', (message) => { remember(message); loadRunsSoon(); });
  stream.addEventListener('reset', (message) => {
    remember(message);
    if (!state.model || JSON.parse(message.data).run !== state.model.id) return;
    state.model.clear();
    state.elements.clear();
    $('transcript')?.replaceChildren();
  });
  for (const type of EVENT_TYPES) {
    stream.addEventListener(type, (message) => {
      remember(message);
      const event = JSON.parse(message.data);
      if (!state.model || event.run !== state.model.id) return;
      const keys = state.model.apply(event);
      if (keys.length) touch(keys);
      if (event.type !== 'delta') {
        tell(event);
        loadRunSoon();
        if (event.type.startsWith('approval.') || event.type === 'run.closed') loadRunsSoon();
      }
    });
  }
}

// ---- other views

async function newRun() {
  const problem = h('p', { class: 'note failed', role: 'alert', hidden: true });
  const agent = h('select', { id: 'agent', required: true });
  const input = h('textarea', { id: 'input', rows: '5', required: true, placeholder: 'What should the agent do?' });
  const submit = h('button', { class: 'button primary', type: 'submit' }, 'Start run');
  const form = h('form', {
    class: 'new',
    onsubmit: async (event) => {
      event.preventDefault();
      submit.disabled = true;
      try {
        const run = await post('/runs', { agent: agent.value, input: input.value });
        location.hash = `#/runs/${encodeURIComponent(run.id)}`;
      } catch (error) {
        problem.textContent = error.hint ? `${error.message} (${error.hint})` : error.message;
        problem.hidden = false;
        submit.disabled = false;
      }
    },
  }, h('a', { class: 'back', href: '#/' }, '\u2190 Runs'), h('h1', {}, 'New run'),
  h('label', { for: 'agent' }, 'Agent'), agent, h('label', { for: 'input' }, 'Input'), input, submit, problem);
  $('detail').replaceChildren(form);
  try {
    const { agents } = await api('/agents');
    agent.replaceChildren(...agents.map((one) => h('option', { value: one.name }, one.name)));
    if (!agents.length) {
      problem.textContent = 'No agent is registered yet: holdfast agents --put agent.yaml';
      problem.hidden = false;
      submit.disabled = true;
    }
  } catch (error) {
    problem.textContent = error.message;
    problem.hidden = false;
  }
}

async function home() {
  const waiting = h('div', {});
  $('detail').replaceChildren(h('div', { class: 'home' }, h('h1', {}, 'Nothing is lost'),
    h('p', {}, 'Choose a run to watch it, or start one. Every step that was acknowledged is on disk: close this page, or kill the server, and come back.'),
    h('p', {}, h('a', { class: 'button primary', href: '#/new' }, 'New run')), waiting));
  try {
    const { approvals } = await api('/approvals?status=pending&limit=20');
    if (!approvals.length) return;
    waiting.replaceChildren(h('h2', {}, 'Waits for a decision'), h('ul', { class: 'waiting' }, approvals.map((one) =>
      h('li', {}, h('a', { href: `#/runs/${encodeURIComponent(one.run)}` }, h('strong', {}, one.tool), ' ', h('code', {}, plainText(one.arguments)),
        ` asked ${ago(one.requested_at)}`)))));
  } catch { /* the list is an extra */ }
}

// An address that is no proper encoding names no run, but it says what was asked for.
function runOf(hash) {
  const match = hash.match(/^#\/runs\/(.+)$/);
  if (!match) return null;
  try { return { id: decodeURIComponent(match[1]) }; } catch { return { broken: match[1] }; }
}

function route() {
  const hash = location.hash || '#/';
  if (hash === state.route) return;
  state.route = hash;
  const run = runOf(hash);
  document.body.dataset.view = hash === '#/' ? 'list' : 'detail';
  if (run?.id) {
    openRun(run.id);
  } else {
    state.model = null;
    state.run = null;
    connect();
    if (run) noRun(`there is no run '${run.broken}'`); else if (hash === '#/new') newRun(); else home();
  }
  showRuns();
  document.title = run?.id ? `${run.id} \u00B7 Holdfast` : 'Holdfast';
}

async function showInfo() {
  try {
    const info = await api('/info');
    $('info').textContent = `${info.version} \u00B7 ${info.engine === 'embedded' ? `engine ${info.grpc_address}` : info.engine}`;
  } catch { /* shown when the server answers */ }
}

$('more').addEventListener('click', loadOlder);
// Followed as a link it would be an address, and addresses are routes.
document.querySelector('.skip').addEventListener('click', (event) => {
  event.preventDefault();
  $('detail').focus();
});
addEventListener('hashchange', route);
setInterval(() => {
  if (!state.model || document.hidden) return;
  const age = $('age');
  const began = state.run?.started_at || state.model.startedAt;
  if (age && began && !state.model.endedAt && !state.run?.closed_at) age.textContent = `for ${duration(began)}`;
}, 1000);
route();
showInfo();
