/** A bell that sleepers wait for: rung, or their time is over. Promises that a ring before the wait is not lost. */
export class Bell {
  private rung = false
  private wakers = new Set<() => void>()

  ring(): void {
    if (this.wakers.size === 0) this.rung = true
    const all = this.wakers
    this.wakers = new Set()
    for (const wake of all) wake()
  }

  /** Resolves at the next ring, at once where it was rung since the last wait, or after `ms`. */
  wait(ms: number): Promise<void> {
    if (this.rung) {
      this.rung = false
      return Promise.resolve()
    }
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer)
        this.wakers.delete(wake)
        resolve()
      }
      // Nobody stays alive only to sleep.
      const timer = setTimeout(wake, Math.max(0, ms)).unref()
      this.wakers.add(wake)
    })
  }
}
