// Reads lines of a log from a cursor on, again and again; what was lost while the connection was away comes after it.
const EVERY = 700
const MOST = 5000

export function follow (log, { connection, onAnswer = () => {}, paused = () => false }) {
  let cursor = log.dataset.cursor
  let wait = EVERY
  const url = new URL(log.dataset.more, location.href)

  const atEnd = () => log.scrollHeight - log.scrollTop - log.clientHeight < 40

  function add (html) {
    if (!html.trim()) return
    log.querySelector('.app-log__none')?.remove()
    const stay = !atEnd()
    log.insertAdjacentHTML('beforeend', html)
    while (log.childElementCount > MOST) log.firstElementChild.remove()
    if (!stay) log.scrollTop = log.scrollHeight
  }

  async function ask () {
    if (paused() || document.hidden) return true
    url.searchParams.set('cursor', cursor)
    const answer = await fetch(url, { headers: { Accept: 'application/json' }, redirect: 'error', cache: 'no-store' })
    if (answer.status === 401) {
      say('You are no longer signed in. Load the page again.')
      return false
    }
    if (!answer.ok) throw new Error(answer.status)
    const said = await answer.json()
    if (paused()) return true
    cursor = said.cursor
    add(said.lines)
    wait = said.more ? 50 : EVERY
    say('')
    return onAnswer(said) !== false
  }

  function say (text) {
    if (connection && connection.textContent !== text) connection.textContent = text
  }

  async function loop () {
    try {
      if (!await ask()) return
    } catch (error) {
      wait = Math.min(wait * 2, 10000)
      say('The connection was lost; it is tried again. No line is left out.')
    }
    setTimeout(loop, wait)
  }

  log.scrollTop = log.scrollHeight
  setTimeout(loop, EVERY)
  document.addEventListener('visibilitychange', () => { if (!document.hidden) wait = EVERY })
}
