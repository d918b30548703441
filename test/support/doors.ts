/** Projects of a running app, and what its search finds in them: the far end of every door. */
import { expect } from "vitest"
import type { StoredEvent } from "../../src/domain/LogEvent.ts"
import { type App, ask } from "./app.ts"
import { eventually } from "./eventually.ts"

export interface TestProject {
  readonly id: string
  readonly key: string
}

let count = 0

/** A new project and its key. */
export const newProject = async (app: App): Promise<TestProject> => {
  const { body, status } = await ask<{ project: { id: string }; apiKey: { secret: string } }>(
    app,
    "POST",
    "/v1/projects",
    { name: `Door ${++count}` }
  )
  expect(status).toBe(201)
  return { id: body.project.id, key: body.apiKey.secret }
}

/** The newest thousand events of a project. */
export const search = async (app: App, project: TestProject): Promise<ReadonlyArray<StoredEvent>> => {
  const { body } = await ask<{ events: ReadonlyArray<StoredEvent> }>(
    app,
    "GET",
    `/v1/logs?project=${project.id}&limit=1000`
  )
  return body.events
}

/** The events of a project once there are as many, by time. */
export const stored = async (app: App, project: TestProject, events: number): Promise<ReadonlyArray<StoredEvent>> => {
  const found = await eventually(
    `${events} stored events`,
    async () => {
      const all = await search(app, project)
      return all.length >= events ? all : undefined
    },
    60_000
  )
  expect(found).toHaveLength(events)
  return found.toSorted((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : Number(a.id) - Number(b.id)))
}
