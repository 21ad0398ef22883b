// What to do about a refusal, by the API's stable code first, by HTTP status otherwise.

const BY_CODE: Record<string, string> = {
  agent_unreachable: 'Look at the data plane’s page whether its agent is connected, and at that machine if it is not. Streams keep running meanwhile.',
  group_active: 'Stop the group’s consumers first.',
  policy_refused: 'Ask who runs the data plane: the policy is a file in their network.',
  kafka_refused: 'Ask who runs the data plane to look at the agent’s log.',
  idempotency_key_reused: 'Close this form and open it again: that starts a new request.',
  sharing_off: 'Your tenant has not turned this on: a tenant administrator does so on the tenant’s page, under Stream sharing.',
  enrollment_token_used: 'Make a new enrolment command on the page of the data plane.',
}

const BY_STATUS: Record<number, string> = {
  400: 'The console sent something that the control plane does not take; this is a fault of the console. Please report it with the request id.',
  402: 'A service quota is full. Delete what is no longer used, or ask the platform operator for a higher quota.',
  403: 'It needs a role that you do not have on this resource. A tenant administrator can add it under Access › Role bindings.',
  404: 'It was deleted, or it belongs to a tenant that is not the one in view.',
  409: 'Something else stands in the way, as said above. Change or remove it first.',
  412: 'Somebody changed it in the meantime. Close this form, look at what it says now, and try again.',
  422: 'Correct the fields named above.',
  429: 'Too many requests in a short time. Wait a moment and try again.',
  500: 'This is a fault of the control plane. Give the request id to the platform operator.',
  502: 'Something between this browser and the control plane answered in its place. Try again.',
  503: 'The control plane is starting or overloaded. It is tried again by itself.',
}

export function remedyFor(code: string | undefined, status: number): string | undefined {
  return (code ? BY_CODE[code] : undefined) ?? BY_STATUS[status]
}
