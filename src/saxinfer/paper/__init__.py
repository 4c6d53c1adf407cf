"""The paper's experiment made again, and the posterior beside its boosted trees."""
