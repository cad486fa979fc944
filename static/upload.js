// Pushing from the browser: a file or a folder, chosen or dropped, with its progress in percent.
import { zip } from './zip.js'

let chosen = null // what is sent: a File, also after the form came back with something to mend

function start () {
  const form = document.querySelector('form[data-upload]')
  if (!form) return
  const input = form.elements.bits
  const folder = document.getElementById('folder')
  const drop = form.querySelector('[data-drop]')
  const said = form.querySelector('[data-chosen]')
  const say = (text) => { said.textContent = text }
  if (chosen) say(`Chosen: ${chosen.name}, ${size(chosen.size)}`)

  input.addEventListener('change', () => take(input.files[0]))
  folder.addEventListener('change', () => pack([...folder.files].map((file) => {
    const [name, ...rest] = file.webkitRelativePath.split('/')
    return { file, path: rest.join('/'), name }
  })))

  for (const kind of ['dragenter', 'dragover']) {
    drop.addEventListener(kind, (event) => {
      event.preventDefault()
      drop.classList.add('app-drop--over')
    })
  }
  drop.addEventListener('dragleave', (event) => {
    if (!drop.contains(event.relatedTarget)) drop.classList.remove('app-drop--over')
  })
  drop.addEventListener('drop', async (event) => {
    event.preventDefault()
    drop.classList.remove('app-drop--over')
    const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean)
    if (entries.length === 1 && entries[0].isFile) return take(event.dataTransfer.files[0])
    const top = entries.length === 1 ? await children(entries[0]) : entries
    await pack((await Promise.all(top.map((entry) => walk(entry, '')))).flat().map((each) => ({ ...each, name: entries[0].name })))
  })

  function take (file) {
    chosen = file ?? null
    folder.value = ''
    say(file ? `Chosen: ${file.name}, ${size(file.size)}` : '')
  }

  async function pack (files) {
    input.value = ''
    chosen = null
    try {
      chosen = await zip(files, files[0]?.name, (done, all) => {
        if (done % 200 === 0) say(`Packing: ${done} of ${all} files`)
      })
      say(`Chosen: ${files[0].name}, ${files.length} files, ${size(chosen.size)} packed`)
    } catch (error) {
      say(error.message)
    }
  }

  form.addEventListener('submit', (event) => {
    if (!chosen) return // the server says that a file is missing
    event.preventDefault()
    send(form)
  })
}

async function children (folder) {
  const reader = folder.createReader()
  const found = []
  for (let some = [null]; some.length;) {
    some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject))
    found.push(...some)
  }
  return found
}

async function walk (entry, above) {
  const path = above + entry.name
  if (entry.isFile) return [{ path, file: await new Promise((resolve, reject) => entry.file(resolve, reject)) }]
  const inside = await children(entry)
  return (await Promise.all(inside.map((each) => walk(each, `${path}/`)))).flat()
}

function send (form) {
  const data = new FormData(form)
  data.set('bits', chosen, chosen.name)
  const panel = form.querySelector('[data-progress]')
  const bar = panel.querySelector('progress')
  const words = panel.querySelector('[data-words]')
  const status = panel.querySelector('[data-status]')
  const button = form.querySelector('button:not([type=button])')
  panel.hidden = false
  button.disabled = true

  const request = new XMLHttpRequest()
  request.upload.addEventListener('progress', ({ loaded, total }) => {
    const percent = Math.floor(loaded / total * 100)
    bar.value = percent
    words.textContent = percent < 100 ? `Uploading: ${percent}%, ${size(loaded)} of ${size(total)}` : 'Uploaded; the platform checks it'
    const told = percent < 100 ? `${Math.floor(percent / 25) * 25}% uploaded` : words.textContent
    if (status.textContent !== told) status.textContent = told
  })
  request.addEventListener('load', () => {
    if (new URL(request.responseURL).pathname !== location.pathname) {
      location.assign(request.responseURL)
      return
    }
    const answer = new DOMParser().parseFromString(request.responseText, 'text/html')
    const main = answer.getElementById('main-content')
    if (!main) return failed(`The platform answered ${request.status}. Try again in a minute.`)
    document.getElementById('main-content').replaceWith(main)
    document.title = answer.title
    start()
    const summary = main.querySelector('.govuk-error-summary')
    summary?.setAttribute('tabindex', '-1')
    summary?.focus()
    window.scrollTo(0, 0)
  })
  request.addEventListener('error', () => failed('The connection was lost. Check it and push again.'))
  request.open('POST', location.href)
  request.setRequestHeader('Accept', 'text/html')
  request.send(data)

  function failed (text) {
    words.textContent = status.textContent = text
    bar.value = 0
    button.disabled = false
  }
}

function size (bytes) {
  for (const unit of ['bytes', 'KB', 'MB']) {
    if (bytes < 1024) return `${unit === 'bytes' ? bytes : bytes.toFixed(1)} ${unit}`
    bytes /= 1024
  }
  return `${bytes.toFixed(1)} GB`
}

start()
