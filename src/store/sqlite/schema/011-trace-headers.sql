-- What a message is called by its sender, so that its trace is found by it. NULL for messages from before this step.
-- Columns without a default rewrite no row.

-- Without angle brackets, at most TRACE_MESSAGE_ID_LIMIT_CHARS characters.
ALTER TABLE trace_message ADD COLUMN message_id TEXT;
-- Decoded, at most TRACE_SUBJECT_LIMIT_CHARS characters.
ALTER TABLE trace_message ADD COLUMN subject TEXT;
-- A JSON array of other names that it is found by in trace_address: remote addresses and login names of what was refused.
ALTER TABLE trace_message ADD COLUMN other_names TEXT;
CREATE INDEX trace_by_message_id ON trace_message (message_id) WHERE message_id IS NOT NULL;
