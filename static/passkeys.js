// Passkeys, where the browser has them: only over https, or on localhost. allauth's own scripts do the asking.
const possible = Boolean(window.isSecureContext && window.PublicKeyCredential)
for (const part of document.querySelectorAll('[data-passkey]')) part.hidden = !possible
for (const part of document.querySelectorAll('[data-no-passkey]')) part.hidden = possible

const sentences = {
  InvalidStateError: 'This passkey is on your account already. Choose another device or key.',
  NotAllowedError: 'No passkey was chosen, or it took too long. Try again.',
  SecurityError: 'Passkeys do not work under this address. Open the platform under its usual one.'
}

document.addEventListener('allauth.error', (event) => {
  const told = document.querySelector('[data-passkey-error]')
  const { exception } = event.detail
  if (!told) return
  event.preventDefault()
  told.textContent = sentences[exception.name] || 'The passkey could not be used. Try again, or choose another way.'
  told.hidden = false
})
