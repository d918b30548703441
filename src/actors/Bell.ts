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

  /** Resolves at the next ring, at once where it was rung since the last wait, or after `ms`; true where it was rung. */
  wait(ms: number): Promise<boolean> {
    if (this.rung) {
      this.rung = false
      return Promise.resolve(true)
    }
    return new Promise((resolve) => {
      const end = (rung: boolean) => {
        clearTimeout(timer)
        this.wakers.delete(wake)
        resolve(rung)
      }
      const wake = () => end(true)
      // Nobody stays alive only to sleep.
      const timer = setTimeout(() => end(false), Math.max(0, ms)).unref()
      this.wakers.add(wake)
    })
  }
}
