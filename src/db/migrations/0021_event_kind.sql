-- SPDX-License-Identifier: Apache-2.0
-- Events of one kind, newest first.

CREATE INDEX event_by_kind ON event (kind, id);
