// A program that unsends a message: the code under test. It sends a request again when the service
// is busy or failing, and when a response is lost; a message that is gone then is a success.
const attempts = 3

export async function unsend(base, { apiKey, connection }, user, message) {
  let lost = false
  for (let attempt = 1; ; attempt++) {
    let response, body, cause
    try {
      response = await fetch(`${base}/v2/access/chats/${encodeURIComponent(user)}/messages/${encodeURIComponent(message)}`, {
        method: 'DELETE',
        headers: { apiKey, 'x-connection-id': connection, 'content-type': 'application/json' },
        body: JSON.stringify({ withUserId: user }),
        redirect: 'manual',
      })
      body = await response.json()
    } catch (error) {
      cause = error
    }
    // Without a status, or with 2xx or 5xx and no readable body, the message may have been unsent.
    const status = response?.status ?? 0
    if (response?.ok && body?.success === true) return 'unsent'
    if (status === 404 && body?.type === 'RESOURCE_NOT_FOUND' && lost) return 'already gone'
    const unknown = status === 0 || status >= 500 || response.ok && body?.success !== false
    lost ||= unknown
    if (attempt === attempts || !unknown && status !== 429) {
      const reason = `${status} ${body?.type ?? body?.error ?? 'without a readable success'}`
      throw new Error(unknown ? `the message may have been unsent: ${reason}` : reason, { cause })
    }
    const seconds = Number(response?.headers.get('retry-after') ?? 2 ** attempt / 10)
    await new Promise(resolve => setTimeout(resolve, seconds * 1000))
  }
}
