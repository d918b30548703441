/** A modal dialog by the browser's own means: focus stays inside, Esc and a click beside it close it, focus returns. */
import { type ReactNode, useEffect, useRef } from "react"
import { Close } from "./Icons.tsx"

interface DrawerProps {
  readonly title: string
  readonly kind: "drawer" | "card"
  readonly close: () => void
  readonly tools?: ReactNode
  readonly children: ReactNode
}

export function Drawer({ children, close, kind, title, tools }: DrawerProps) {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    const element = dialog.current
    if (element !== null && !element.open) element.showModal()
    return () => element?.close()
  }, [])
  return (
    <dialog
      ref={dialog}
      className={kind}
      aria-label={title}
      onCancel={(event) => {
        event.preventDefault()
        close()
      }}
      onClick={(event) => {
        if (event.target === event.currentTarget) close()
      }}
    >
      <div className="dialog-body">
        <header className="panel-head">
          <h2>{title}</h2>
          <div className="panel-tools">
            {tools}
            <button type="button" className="icon-button" aria-label="Close" onClick={close}>
              <Close />
            </button>
          </div>
        </header>
        {children}
      </div>
    </dialog>
  )
}
