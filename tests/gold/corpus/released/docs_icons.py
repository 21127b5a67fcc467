# judged: WIN05
# from kailash 2.65.0: kailash/migration/documentation_generator.py, lines 917-923
content.append("    # Validate results")
content.append("    assert results is not None")
content.append("    assert 'test_node' in results")
content.append("    assert results['test_node']['answer'] == 42")
# fine: WIN05
content.append('    print("✅ Basic functionality test passed")')
content.append("")
content.append("if __name__ == '__main__':")
