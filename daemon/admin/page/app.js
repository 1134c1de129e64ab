'use strict';
// Draws what /api/live says. Everything from the daemon is put in as text, never as markup.

const number = new Intl.NumberFormat('en');
const marks = {good: '\u25CF', busy: '\u25D0', bad: '\u25B2'};
const sampleSeconds = 3;   // what a bar of a sparkline stands for
const samplesKept = 60;
const pluginsShown = 100;
const rates = new Map();  // plugin -> {calls, at, rate, samples}
const rows = new Map();   // plugin -> the parts of its row

function element(name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

function spoken(exact) {
  const seconds = Math.max(0, Math.round(exact));
  if (seconds < 90) return seconds + ' s';
  if (seconds < 5400) return Math.round(seconds / 60) + ' min';
  if (seconds < 129600) return Math.round(seconds / 3600) + ' h';
  return Math.round(seconds / 86400) + ' days';
}

const lasting = (iso, now) => spoken((Date.parse(now) - Date.parse(iso)) / 1000);
const clock = (iso) => new Date(iso).toLocaleTimeString([], {hourCycle: 'h23'});
const ago = (iso, now) => iso ? lasting(iso, now) + ' ago' : 'never';

// What was called since the last sample; a sample is the calls of a few seconds.
function ratesOf(plugin, now) {
  const calls = plugin.succeeded + plugin.failed;
  const at = Date.parse(now) / 1000;
  const known = rates.get(plugin.plugin);
  if (!known || known.calls > calls) {  // or the daemon has started anew
    const made = {calls, at, rate: 0, samples: []};
    rates.set(plugin.plugin, made);
    return made;
  }
  if (at - known.at < sampleSeconds) return known;
  known.samples.push(calls - known.calls);
  known.rate = (calls - known.calls) / (at - known.at);
  known.calls = calls;
  known.at = at;
  if (known.samples.length > samplesKept) known.samples.shift();
  return known;
}

function drawSparkline(svg, samples) {
  const sum = samples.reduce((a, b) => a + b, 0);
  const top = Math.max(1, ...samples);
  const bar = (value, i) => {
    const height = Math.max(0.8, 10 * value / top);
    return 'M' + (samplesKept - samples.length + i) + ' 10v-' + height.toFixed(1) + 'h.75v' + height.toFixed(1) + 'z';
  };
  svg.setAttribute('aria-label', number.format(sum) + ' calls in the last ' + samples.length * sampleSeconds +
    ' seconds, at most ' + number.format(Math.max(0, ...samples)) + ' in ' + sampleSeconds);
  svg.firstChild.setAttribute('d', samples.map((value, i) => value === 0 ? '' : bar(value, i)).join('') || 'M0 10');
}

function sparkline() {
  const name = 'http://www.w3.org/2000/svg';
  const drawn = document.createElementNS(name, 'svg');
  drawn.setAttribute('viewBox', '0 0 ' + samplesKept + ' 10');
  drawn.setAttribute('preserveAspectRatio', 'none');
  drawn.setAttribute('role', 'img');
  drawn.append(document.createElementNS(name, 'path'));
  return drawn;
}

const columns = [['Lag', 'lag'], ['Behind', 'behind'], ['Owed', 'owed'], ['Calls a second', 'rate'],
                 ['Failed', 'failed'], ['Given up', 'dead']];

// A row is made once and changed where it has to be: there may be a thousand, once a second.
function makeRow(name) {
  const parts = {row: element('tr'), build: element('small'), state: element('span'), why: element('small'),
                 line: sparkline()};
  parts.row.dataset.plugin = name;
  const first = element('td');
  first.append(element('strong', name), parts.build);
  parts.stateCell = element('td');
  parts.stateCell.append(parts.state, parts.why);
  parts.row.append(first, parts.stateCell);
  for (const [label, key] of columns) {
    parts[key] = element('td', '', 'number');
    parts[key].dataset.label = label;
    parts.row.append(parts[key]);
  }
  const last = element('td');
  last.append(parts.line);
  parts.row.append(last);
  rows.set(name, parts);
  return parts;
}

function say(part, text) {
  if (part.textContent !== text) part.textContent = text;
}

// Puts these into `body`, in this order. What is there and stays is not touched: a button keeps its focus, and a click
// that has begun its target.
function arrange(body, wanted) {
  const staying = new Set(wanted);
  for (const one of [...body.children]) if (!staying.has(one)) one.remove();
  wanted.forEach((one, i) => { if (body.children[i] !== one) body.insertBefore(one, body.children[i] || null); });
}

function updateRow(plugin, now) {
  const parts = rows.get(plugin.plugin) || makeRow(plugin.plugin);
  const {rate, samples} = ratesOf(plugin, now);
  say(parts.build, plugin.build ? 'build ' + plugin.build.slice(0, 8) + ', loaded ' + plugin.generation + '\u00D7' : plugin.file);
  say(parts.state, marks[plugin.health] + ' ' + plugin.state);
  parts.stateCell.className = 'state ' + plugin.health;
  say(parts.why, plugin.why || 'for ' + lasting(plugin.since, now));
  say(parts.lag, plugin.lag_ms === 0 ? '0 s' : spoken(plugin.lag_ms / 1000));
  say(parts.behind, number.format(plugin.lag_events));
  say(parts.owed, number.format(plugin.pending));
  say(parts.rate, rate === 0 || rate >= 10 ? number.format(Math.round(rate)) : rate.toFixed(1));
  say(parts.failed, number.format(plugin.failed));
  say(parts.dead, number.format(plugin.dead_letters));
  for (const key of ['failed', 'dead']) parts[key].classList.toggle('some', parts[key].textContent !== '0');
  drawSparkline(parts.line, samples);
  return parts.row;
}

// What is in trouble comes first where not all are shown.
function drawPlugins(plugins, now) {
  const sought = byId('filter').value.toLowerCase();
  let shown = plugins.filter((plugin) => plugin.plugin.toLowerCase().includes(sought));
  const found = shown.length;
  if (found > pluginsShown) {
    const order = {bad: 0, busy: 1, good: 2};
    shown = [...shown].sort((a, b) => order[a.health] - order[b.health]).slice(0, pluginsShown);
  }
  for (const plugin of plugins) ratesOf(plugin, now);  // also of those that are not shown
  arrange(byId('plugins'), shown.map((plugin) => updateRow(plugin, now)));
  const names = new Set(plugins.map((plugin) => plugin.plugin));
  for (const known of [rows, rates])
    for (const name of known.keys()) if (!names.has(name)) known.delete(name);
  say(byId('count'), number.format(plugins.length));
  byId('filter-line').hidden = plugins.length <= 20;
  byId('more-plugins').hidden = found <= pluginsShown;
  say(byId('more-plugins'), number.format(found - shown.length) + ' more, in no more trouble than these; a name finds them.');
}

function took(ms) {
  return ms < 0.1 ? '< 0.1 ms' : ms < 10 ? ms.toFixed(1) + ' ms' : number.format(Math.round(ms)) + ' ms';
}

function callText(call) {
  const text = call.plugin + (call.ok ? ' \u2713 ' : ' \u2717 failed ') + took(call.took_ms);
  return text + (call.calls > 1 ? ', ' + number.format(call.calls) + ' calls' : '');
}

let recentDrawn = '';

function drawRecent(recent, now) {
  byId('no-recent').hidden = recent.length > 0;
  byId('recent-table').hidden = recent.length === 0;
  const text = JSON.stringify(recent);
  if (text === recentDrawn) return;
  recentDrawn = text;
  byId('recent').replaceChildren(...recent.map((event) => {
    const made = element('tr');
    made.dataset.recent = event.event;
    const first = element('td');
    first.append(element('strong', String(event.event)),
                 element('small', event.event_type + (event.attribute ? ' ' + event.attribute : '')));
    const calls = element('td', undefined, 'calls');
    for (const call of event.calls) {
      const one = element('span', callText(call), call.ok ? 'call' : 'call bad');
      one.title = call.callback;
      calls.append(one, ' ');
    }
    if (event.more_calls) calls.append(element('span', 'and ' + number.format(event.more_calls) + ' calls more', 'quiet'));
    made.append(first, element('td', event.created ? clock(event.created) : ''), calls);
    return made;
  }));
}

function figure(label, value) {
  return [element('dt', label), element('dd', value)];
}

function verdict(status, health) {
  if (health === 'good') return 'All is well.';
  if (status.stream.in_trouble) return 'The site does not answer (' + status.stream.state + ').';
  if (health === 'busy' && !status.ready) return 'Getting ready: ' + status.why_not_ready + '.';
  const named = status.plugins.filter((plugin) => plugin.health === health);
  const first = named.slice(0, 3).map((plugin) => plugin.plugin + ': ' + plugin.state).join('; ');
  return first + (named.length > 3 ? '; and ' + number.format(named.length - 3) + ' more.' : '.');
}

function draw(status) {
  const now = status.daemon.taken;
  const stream = status.stream;
  const health = stream.in_trouble || status.plugins.some((plugin) => plugin.health === 'bad') ? 'bad'
    : !status.ready || status.plugins.some((plugin) => plugin.health === 'busy') ? 'busy' : 'good';
  byId('mark').textContent = marks[health];
  byId('mark').className = 'mark ' + health;
  say(byId('verdict'), verdict(status, health));
  document.title = (health === 'good' ? '' : marks[health] + ' ') + 'sgeventd';
  byId('about').textContent = status.daemon.site + ' \u00B7 version ' + status.daemon.version +
    ' \u00B7 started ' + ago(status.daemon.started, now);
  byId('stream').replaceChildren(...[
    figure('State', stream.state.replace('_', ' ') + ' for ' + lasting(stream.since, now)),
    figure('Newest event', number.format(stream.highest)),
    figure('Read since the start', number.format(stream.events)),
    figure('Gaps awaited', number.format(stream.open_gaps)),
    figure('Gaps given up', number.format(stream.gaps_closed)),
    figure('Failed queries', number.format(stream.failures)),
    figure('Last answer', ago(stream.last_answer, now)),
  ].map((pair) => { const box = element('div'); box.append(...pair); return box; }));
  byId('stream-error').hidden = !stream.in_trouble;
  byId('stream-error').textContent = stream.last_error;
  drawPlugins(status.plugins, now);
  drawLetters(status);
  drawRecent(status.recent, now);
  byId('freshness').textContent = 'As of ' + clock(now);
}

async function first() {
  const answer = await fetch('/api/status');
  if (answer.ok) draw(await answer.json());
}

byId('filter').addEventListener('input', first);
const live = new EventSource('/api/live');
live.onmessage = (message) => draw(JSON.parse(message.data));
live.onerror = () => {
  byId('mark').textContent = marks.bad;
  byId('mark').className = 'mark bad';
  byId('verdict').textContent = 'The daemon does not answer; trying again.';
};
first();
