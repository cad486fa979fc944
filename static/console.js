// Small helps for every page; each page works without them.
import { initAll } from './govuk/govuk-frontend.min.js'

document.body.classList.add('js-enabled', 'govuk-frontend-supported')
initAll()

// "/" goes to the search field, unless something is being typed.
document.addEventListener('keydown', (event) => {
  const typing = event.target.closest('input, textarea, select, [contenteditable]')
  const search = document.getElementById('search')
  if (event.key !== '/' || typing || event.ctrlKey || event.metaKey || event.altKey || !search) return
  event.preventDefault()
  search.focus()
  search.select()
})

// Times in the reader's own zone, and "5 minutes ago" that stays true while the page is open.
const steps = [[60, 'second'], [60, 'minute'], [24, 'hour'], [30, 'day'], [12, 'month'], [Infinity, 'year']]
const exact = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit', second: '2-digit', timeZoneName: 'short'
})

function words (seconds) {
  let amount = Math.floor(Math.abs(seconds))
  if (amount < 5) return 'just now'
  for (const [size, unit] of steps) {
    if (amount < size) {
      const said = `${amount} ${unit}${amount === 1 ? '' : 's'}`
      return seconds < 0 ? `in ${said}` : `${said} ago`
    }
    amount = Math.floor(amount / size)
  }
}

function tellTimes (root) {
  for (const time of root.querySelectorAll('.app-time')) {
    const at = new Date(time.dateTime)
    const [ago, absolute] = [time.querySelector('.app-time__ago'), time.querySelector('.app-time__at')]
    if (ago) ago.textContent = words((Date.now() - at) / 1000)
    if (absolute) absolute.textContent = exact.format(at)
  }
}

tellTimes(document)
setInterval(() => tellTimes(document), 20000)
document.body.addEventListener('htmx:afterSwap', () => tellTimes(document))

// Copy buttons for lines of a terminal.
for (const code of document.querySelectorAll('.app-code[data-copy]')) {
  if (!navigator.clipboard) break
  const button = document.createElement('button')
  button.type = 'button'
  button.className = 'govuk-button govuk-button--secondary app-copy'
  button.textContent = 'Copy'
  button.setAttribute('aria-label', `Copy: ${code.dataset.copy}`)
  button.addEventListener('click', async () => {
    await navigator.clipboard.writeText(code.textContent.trim())
    button.textContent = 'Copied'
    setTimeout(() => { button.textContent = 'Copy' }, 2000)
  })
  code.before(button)
}

// A field above many boxes: those without what is typed are hidden, and so are headings with nothing left under them.
for (const field of document.querySelectorAll('[data-filters]')) {
  const [list, found] = [document.getElementById(field.dataset.filters), document.getElementById(`${field.id}-found`)]
  field.addEventListener('input', () => {
    const words = field.value.trim().toLowerCase()
    let count = 0
    for (const group of list.querySelectorAll('fieldset')) {
      const boxes = [...group.querySelectorAll('.govuk-checkboxes__item')]
      for (const box of boxes) box.hidden = !box.textContent.toLowerCase().includes(words)
      const left = boxes.filter((box) => !box.hidden).length
      group.hidden = left === 0
      count += left
    }
    found.textContent = words ? `${count || 'No'} permission${count === 1 ? '' : 's'} with these words` : ''
  })
  field.addEventListener('keydown', (event) => { if (event.key === 'Enter') event.preventDefault() })
}
