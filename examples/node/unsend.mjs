// A program that unsends a message: the code under test. It sends a request again when the service
// is busy or failing, and when a response is lost; a message that is gone then is a success.
const attempts = 3

export async function unsend(base, { apiKey, connection }, user, message) {
  let lost = false
  for (let attempt = 1; ; attempt++) {
    const last = attempt === attempts
    let response, body
    try {
      response = await fetch(`${base}/v2/access/chats/${encodeURIComponent(user)}/messages/${encodeURIComponent(message)}`, {
        method: 'DELETE',
        headers: { apiKey, 'x-connection-id': connection, 'content-type': 'application/json' },
        body: JSON.stringify({ withUserId: user }),
        redirect: 'manual',
      })
      body = await response.json()
    } catch (error) {
      lost = true
      if (last) throw new Error('the response was lost: the message may have been unsent', { cause: error })
      continue
    }
    if (response.ok && body.success === true) return 'unsent'
    if (body.type === 'RESOURCE_NOT_FOUND' && lost) return 'already gone'
    if (last || (response.status !== 429 && response.status < 500)) {
      throw new Error(`${response.status} ${body.type ?? body.error ?? 'without a readable success'}`)
    }
    lost ||= response.status >= 500
    const seconds = Number(response.headers.get('retry-after') ?? 0)
    await new Promise(resolve => setTimeout(resolve, seconds * 1000))
  }
}
