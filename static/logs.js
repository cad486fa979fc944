// The page of an app's logs: live, with a pause, and the line that the address names in sight.
import { follow } from './lines.js'

const log = document.getElementById('log')
const pause = document.getElementById('pause')
let paused = false

pause?.addEventListener('click', () => {
  paused = !paused
  pause.textContent = paused ? 'Go on' : 'Pause'
})

if (log.dataset.more) {
  follow(log, { connection: document.getElementById('connection'), paused: () => paused })
} else {
  document.getElementById(location.hash.slice(1))?.scrollIntoView({ block: 'center' })
}
