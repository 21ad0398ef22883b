-- A window and its rows are written by one transaction; checking each row's window again cost more than writing it.
ALTER TABLE usage_row DROP CONSTRAINT usage_row_data_plane_id_gateway_id_boot_sequence_fkey;
