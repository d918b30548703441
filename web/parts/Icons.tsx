/** The page's icons: 16-pixel strokes in the colour of the text, hidden from readers, who have the labels. */
import type { ReactNode } from "react"

const icon = (paths: ReactNode) =>
  function Icon() {
    return (
      <svg className="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">
        <g fill="none" stroke="currentColor" strokeWidth="1.5" strokeLinecap="round" strokeLinejoin="round">
          {paths}
        </g>
      </svg>
    )
  }

export const Bell = icon(<path d="M3.5 11.5h9l-1-1.6V7a3.5 3.5 0 0 0-7 0v2.9zM6.7 13.6a1.4 1.4 0 0 0 2.6 0" />)
export const Pause = icon(<path d="M5.5 3.5v9M10.5 3.5v9" />)
export const Play = icon(<path d="M5 3.2v9.6L12.5 8z" />)
export const Sun = icon(
  <path d="M8 5.2a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6M8 1.5v1M8 13.5v1M1.5 8h1M13.5 8h1M3.4 3.4l.7.7M11.9 11.9l.7.7M3.4 12.6l.7-.7M11.9 4.1l.7-.7" />
)
export const Moon = icon(<path d="M13 9.6A5.4 5.4 0 0 1 6.4 3 5.4 5.4 0 1 0 13 9.6z" />)
export const Screen = icon(<path d="M2.5 3h11v7.5h-11zM6 13.2h4" />)
export const Search = icon(<path d="M7 2.8a4.2 4.2 0 1 0 0 8.4 4.2 4.2 0 0 0 0-8.4M10.2 10.2l3 3" />)
export const Close = icon(<path d="M4 4l8 8M12 4l-8 8" />)
export const Down = icon(<path d="M8 3v9M4.5 8.8 8 12.3l3.5-3.5" />)
export const Chevron = icon(<path d="M6 4l4 4-4 4" />)
export const Keyboard = icon(<path d="M1.8 4.3h12.4v7.4H1.8zM4.3 6.8h.1M6.8 6.8h.1M9.2 6.8h.1M11.6 6.8h.1M5 9.3h6" />)
export const Leave = icon(<path d="M9.5 3H3.5v10h6M7 8h6.5M11 5.5 13.5 8 11 10.5" />)
export const Check = icon(<path d="M3.5 8.5l3 3 6-7" />)
export const Cross = icon(<path d="M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11M6 6l4 4M10 6l-4 4" />)
export const Warn = icon(<path d="M8 2.6 14 13H2zM8 6.4v3M8 11.2v.1" />)
export const Info = icon(<path d="M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11M8 7.4v3M8 5.3v.1" />)
export const Clock = icon(<path d="M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11M8 5v3.2l2 1.3" />)
export const Run = icon(<path d="M13.2 6A5.5 5.5 0 1 0 13.5 9M13.5 2.8V6h-3.2" />)
export const Copy = icon(<path d="M5.5 5.5h7.5v7.5H5.5zM10.5 5.3V3H3v7.5h2.3" />)
export const Filter = icon(<path d="M2.5 3.5h11L9.4 8.3v4.2l-2.8-1.3V8.3z" />)
