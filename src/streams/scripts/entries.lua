-- Entries of a work stream: text that other scripts begin with (the loader puts it before theirs); by itself it does nothing.
-- An entry has the fields id, task, payload and perhaps meta; that of a plain job has one, `job`, with the first three in one
-- text, parted by spaces (ids and names of tasks have none): a third fewer values on the way to a worker.
local entries = {}
-- The fields by name, and how many bytes they have.
function entries.read(flat)
  local fields, bytes = {}, 0
  for i = 1, #flat, 2 do
    fields[flat[i]] = flat[i + 1]
    bytes = bytes + #flat[i + 1]
  end
  local text = flat[1] == 'job' and flat[2]
  local first = text and string.find(text, ' ', 2, true)
  local second = first and string.find(text, ' ', first + 1, true)
  if not second then return fields, bytes end
  local id, task = string.sub(text, 1, first - 1), string.sub(text, first + 1, second - 1)
  return { id = id, task = task, payload = string.sub(text, second + 1) }, bytes
end
