print("botcrond")
