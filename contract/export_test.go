package contract

// Load is New for another document: the contract as a later edit may leave it.
var Load = load
