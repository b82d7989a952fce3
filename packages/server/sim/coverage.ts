// How often each situation came up. A simulation proves nothing about what never happens in it, so the situations have
// names, are counted, and a test notices when one of them has become rare.

export const situations = [
  "request refused to connect",
  "request lost on its way",
  "request arrived late",
  "request arrived at the last moment",
  "request started at the last moment",
  "request not started: too late",
  "answer lost",
  "answer after a 5xx",
  "answer that nobody can read",
  "answer that breaks the decoder",
  "answer repeated for its key",
  "process died",
  "process stood still",
  "process stood still while it waited for an answer",
  "database lost a connection",
  "weather after the first storm",
  "sink failed",
  "key used again",
  "key used twice at the same time",
  "first answer compared with its replay",
  "cancel before the create was answered",
  "cancel of what is authorized",
  "confirm of its own",
  "payment never confirmed",
  "capture after the authorization ran out",
  "refund days later",
  "customer came back",
  "customer never came back",
  "merchant-initiated payment",
  "merchant-initiated payment at its source only",
  "network token with cryptogram",
  "provider token",
  "second account at one provider",
  "account disabled",
  "account draining",
  "declined by the policy",
  "account excluded by the policy",
  "version published to a share",
  "part approved",
  "decline with advice never to try again",
  "rejected by the provider",
  "provider changed its mind",
  "reversal refused for a while",
  "follow-up refused for a while",
  "reversal confirmed only hours later",
  "nothing to reverse",
  "nothing to reverse, said of what is there",
  "capture failed after its success",
  "captured at the provider",
  "refunded at the provider",
  "voided at the provider",
  "disputed at the provider",
  "webhook lost",
  "webhook twice",
  "webhook forged",
  "webhook as a hint",
  "policy: ordered",
  "policy: split",
  "policy: optimize",
  "cap reached",
  "provider down for minutes",
  "decision with an ejected account",
  "probe",
  "exploration",
  "attempt after one that holds nothing",
  "attempt beside a stored reversal",
  "reversal of a second success",
  "paid after all, with a reversal on its way",
  "credentials refused",
  "credentials refused between two copies",
  "reversal failed after its success",
  "request arrived against the provider's word",
  "refund made after it was refused",
  "authorization expired before its time",
  "made by hand under the id of something else",
  "webhook twice by two events",
  "challenge passed and its verdict pending",
  "a person meddled",
  "a person had it looked at anew",
  "settled by a person",
  "customer paid and closed the page",
  "customer swapped the fields of a redirect",
  "left to a person where nobody can know",
] as const
export type Situation = (typeof situations)[number]

export class Coverage {
  readonly counts = new Map<Situation, number>()
  note(situation: Situation): void {
    this.counts.set(situation, (this.counts.get(situation) ?? 0) + 1)
  }
  add(other: Coverage): void {
    for (const [situation, count] of other.counts) this.counts.set(situation, (this.counts.get(situation) ?? 0) + count)
  }
  /** In the order of `situations`, zeros included. */
  report(): Readonly<Record<Situation, number>> {
    return Object.fromEntries(situations.map((s) => [s, this.counts.get(s) ?? 0])) as Record<Situation, number>
  }
}
