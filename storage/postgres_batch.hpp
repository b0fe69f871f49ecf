// A batch as a few multi-row statements: each column travels as one array.
#pragma once

#include "storage/fold.hpp"

#include <pqxx/pqxx>

#include <span>

namespace headway {

/// Registers the statements that the functions below run.
void prepare_batch_statements(pqxx::connection& connection);

/// Locks the log until the end of the transaction: who holds it is alone in writing jobs and log.
/// @returns the last position.
std::uint64_t lock_log(pqxx::transaction_base& transaction);

/// To be asked in a statement after `lock_log`: a statement sees what was committed when it began, not when it got its
/// lock.
row_marks read_marks(pqxx::transaction_base& transaction, std::span<const job_write> batch);

/// @throws std::logic_error where a row is not as it was read under the lock.
void write_rows(pqxx::transaction_base& transaction, const folded_batch& batch);

/// Writes the events and moves the log's head.
void write_log(pqxx::transaction_base& transaction, const folded_batch& batch);

/// True where the log holds the batch's events.
bool is_in_log(pqxx::transaction_base& transaction, const folded_batch& batch);

} // namespace headway
