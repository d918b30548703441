/** In the product itself: pushed to the WebSocket topic `notifications` of the project. */
import type { Channel } from "../Channel.ts"
import { LiveBus } from "../LiveBus.ts"

export const in_app: Channel<"in_app", LiveBus> = {
  id: "in_app",
  send: (notification) => LiveBus.use((bus) => bus.push("notifications", notification.project, [notification]))
}
