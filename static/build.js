// The page of a build: steps and lines as they come, and the whole page anew when it is over.
import { follow } from './lines.js'

const progress = document.getElementById('progress')
let last = ''

follow(document.getElementById('log'), {
  connection: document.getElementById('connection'),
  onAnswer (said) {
    if (said.progress !== last) progress.innerHTML = last = said.progress
    if (said.over) {
      location.reload()
      return false
    }
  }
})
