// The page of a build: steps and lines as they come, and the whole page anew when it is over, and when it is live.
import { follow } from './lines.js'

const log = document.getElementById('log')
const progress = document.getElementById('progress')
let last = ''

follow(log, {
  connection: document.getElementById('connection'),
  onAnswer (said) {
    if (said.progress !== last) progress.innerHTML = last = said.progress
    if (said.stage !== log.dataset.stage && !said.more) {
      location.reload()
      return false
    }
  }
})
