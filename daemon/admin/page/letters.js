'use strict';
// What was given up, and trying it again. What app.js defines is used in functions only, as that comes later.

const byId = (id) => document.getElementById(id);
const tokenKept = 'sgeventd-token';  // in this tab alone, until it is closed
const letterParts = new Map();  // plugin, event and callback -> the parts of its row
const allButtons = new Map();   // plugin -> its button for all of them
let lettersDrawn = '';
let mayRetry = false;
let wanted;  // the choice that waits for a token

function button(text, label, choice) {
  const made = element('button', text);
  made.type = 'button';
  made.setAttribute('aria-label', label);
  made.addEventListener('click', () => retry(choice));
  return made;
}

function makeLetter(letter) {
  const made = element('tr');
  made.dataset.event = letter.event;
  const event = element('td');
  event.append(element('strong', String(letter.event)));
  event.append(element('small', letter.event_type + (letter.attribute ? ' ' + letter.attribute : '')));
  const plugin = element('td', letter.plugin);
  plugin.append(element('small', letter.callback));
  const since = element('span'), reason = element('small'), sinceCell = element('td');
  sinceCell.append(since, reason);
  const error = element('td', '', 'error');
  const act = element('td', undefined, 'act');
  const again = button('Try again', 'Try event ' + letter.event + ' again for ' + letter.plugin,
                       {plugin: letter.plugin, event: letter.event, callback: letter.callback});
  made.append(event, plugin, sinceCell, error, act);
  return {row: made, since, reason, error, act, again};
}

function letterRow(letter, key, now) {
  const parts = letterParts.get(key) || makeLetter(letter);
  letterParts.set(key, parts);
  say(parts.since, ago(letter.died, now));
  say(parts.reason, letter.reason);
  say(parts.error, letter.error);
  arrange(parts.act, mayRetry ? [parts.again] : []);
  return parts.row;
}

function drawLetterRows(letters, now) {
  const keys = letters.map((one) => [one.plugin, one.event, one.callback].join(' '));
  arrange(byId('letters'), letters.map((one, i) => letterRow(one, keys[i], now)));
  const shown = new Set(keys);
  for (const key of letterParts.keys()) if (!shown.has(key)) letterParts.delete(key);
}

function allOf(plugin) {
  const made = allButtons.get(plugin.plugin) ||
    button('', 'Try all of ' + plugin.plugin + ' again', {plugin: plugin.plugin});
  allButtons.set(plugin.plugin, made);
  say(made, 'Try all ' + number.format(plugin.dead_letters) + ' of ' + plugin.plugin + ' again');
  return made;
}

function askForToken(choice, why) {
  wanted = choice;
  byId('token-form').hidden = false;
  byId('letters-said').textContent = why;
  byId('token').focus();
}

async function retry(choice) {
  const token = sessionStorage.getItem(tokenKept);
  if (!token) return askForToken(choice, '');
  byId('letters-said').textContent = 'Asking\u2026';
  try {
    const answer = await fetch('/api/dead-letters/retry',
                               {method: 'POST', body: JSON.stringify(choice), headers: {'X-SGEventD-Token': token}});
    const told = await answer.json();
    if (answer.status === 401) {
      sessionStorage.removeItem(tokenKept);
      return askForToken(choice, 'That is not the token of the configuration.');
    }
    byId('letters-said').textContent = answer.ok ? told.done + '.' : told.error + '.';
  } catch (error) {
    byId('letters-said').textContent = 'The daemon does not answer.';
  }
}

byId('token-form').addEventListener('submit', (event) => {
  event.preventDefault();
  const token = byId('token').value.trim();
  if (!token) return;
  sessionStorage.setItem(tokenKept, token);
  byId('token').value = '';
  byId('token-form').hidden = true;
  retry(wanted);
});
byId('token-cancel').addEventListener('click', () => { byId('token-form').hidden = true; });

async function drawLetters(status) {
  // Which plugins have how many: one may be tried again while another comes.
  const having = status.plugins.filter((plugin) => plugin.dead_letters > 0);
  const seen = JSON.stringify(having.map((plugin) => [plugin.plugin, plugin.dead_letters, plugin.failed]));
  if (seen === lettersDrawn) return;
  lettersDrawn = seen;
  mayRetry = status.daemon.takes_a_token;
  const told = await fetch('/api/dead-letters').then((answer) => answer.json()).catch(() => undefined);
  if (!told || !told.letters) { lettersDrawn = ''; return; }  // asked again with the next sample
  byId('letters-section').hidden = told.in_all === 0;
  const shown = told.letters.slice(-100).reverse();
  byId('letters-count').textContent = number.format(told.in_all) +
    (shown.length < told.in_all ? ', of which ' + shown.length + ' are shown' : '');
  byId('letters-help').hidden = mayRetry;
  arrange(byId('letters-all'), (mayRetry ? having.slice(0, 10) : []).map(allOf));
  drawLetterRows(shown, status.daemon.taken);
}
